// Does the probe of a game day see a pause to its end, and one that has not ended?
import { expect, it } from "vitest";
import { handClock } from "../../../test/support/node-view.ts";
import { after } from "../../model/time.ts";
import { GameDayProbe } from "./probe.ts";

it("counts the longest pause, also while it goes on, with the last write before it", async () => {
  const clock = handClock();
  let writes = 0;
  const seen: unknown[] = [];
  const prober = {
    close() {},
    async write(): Promise<string> {
      writes += 1;
      if (writes === 3) clock.at = after(clock.at, 2_500);
      if (writes === 5) {
        clock.at = after(clock.at, 7_000);
        seen.push(probe.figures());
        throw new Error("nobody takes writes");
      }
      if (writes > 5) {
        probe.stop();
        throw new Error("stopped");
      }
      return `0/${writes}`;
    },
  };
  const probe: GameDayProbe = new GameDayProbe(prober, clock);
  await probe.run(60_000);
  expect(seen).toEqual([expect.objectContaining({ writes: 4, before: "0/4" })]);
  expect(probe.figures()).toMatchObject({ runs: false, writes: 4, failures: 1, before: "0/4" });
  expect(probe.figures().longestPauseMs).toBeGreaterThanOrEqual(7_000);
  const ended = probe.figures();
  clock.at = after(clock.at, 60_000);
  expect(probe.figures()).toEqual(ended);
});
