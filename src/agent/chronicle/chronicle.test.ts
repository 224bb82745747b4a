// Does an agent know when it did not run, and what its host knew when a server gave way?
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { virtualClock } from "../../../test/support/clock.ts";
import { given, leading, NOW, peerSays, remembering, server } from "../../../test/support/world.ts";
import { decide } from "../../controllers/ha/decide.ts";
import { after, type Ms } from "../../model/time.ts";
import type { Clock } from "../../ports/clock.ts";
import { Chronicle } from "./chronicle.ts";

/** Sleeps take as long as the list says, and then for ever. */
function sleeper(lengths: Ms[]): Clock {
  const clock = virtualClock();
  let now = clock.now();
  return {
    ...clock,
    now: () => now,
    sleep: async (_, signal) => {
      const ms = lengths.shift();
      if (ms === undefined)
        return new Promise((_resolve, reject) => {
          signal?.addEventListener("abort", () => reject(signal.reason));
        });
      now = after(now, ms);
    },
  };
}

it("notes only the time in which nothing ran", async () => {
  const stateDir = mkdtempSync(join(tmpdir(), "us-chronicle-"));
  const clock = sleeper([1_000, 1_200, 3_900, 9_000, 1_000]);
  const chronicle = await Chronicle.open({
    node: "n1",
    stateDir,
    version: "1",
    clock,
    places: undefined,
  });
  const stalls: Ms[] = [];
  chronicle.onEvent((event) => {
    if (event.kind === "agent-stalled") stalls.push(event.ms);
  });
  const watching = chronicle.watchForStalls();
  await new Promise((resolve) => setImmediate(resolve));
  await chronicle.close();
  await watching;
  expect(stalls).toEqual([9_000]);
  rmSync(stateDir, { recursive: true });
});

it("says how much room there was when a primary gives way on a full disk", async () => {
  const stateDir = mkdtempSync(join(tmpdir(), "us-chronicle-"));
  const chronicle = await Chronicle.open({
    node: "n1",
    stateDir,
    version: "1",
    clock: virtualClock(),
    places: { dataDir: stateDir, serverLog: join(stateDir, "postgres.log") },
  });
  const free = new Promise<number | undefined>((resolve) => {
    chronicle.onEvent((event) => {
      if (event.kind === "evidence") resolve(event.diskFreeBytes);
    });
  });
  const full = remembering({ diskFullSince: after(NOW, -3_000) });
  const world = given(leading(), server({ diskFreeBytes: 4_096 }), full, peerSays("n2"));
  chronicle.looked({ world, decision: decide(world), tookMs: 1, since: NOW });
  expect(await free).toBeGreaterThan(0);
  await chronicle.close();
  rmSync(stateDir, { recursive: true });
});
