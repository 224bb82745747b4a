// Does a member end its server only for a game day that has begun, for that very server, and while all is well?
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { handClock, primaryView, settings } from "../../../test/support/node-view.ts";
import { type GameDay, gameDayId } from "../../model/game-day/game-day.ts";
import { after, instant } from "../../model/time.ts";
import type { View } from "../api/node-view.ts";
import { GameDays } from "./game-days.ts";

const at = { dir: "" };
beforeEach(() => {
  at.dir = mkdtempSync(join(tmpdir(), "us-game-day-"));
});
afterEach(() => rmSync(at.dir, { recursive: true }));

const SILENT = { error() {}, warn() {}, info() {}, debug() {} };

function member(view: View = primaryView()) {
  const clock = handClock();
  const of = settings();
  const said: string[] = [];
  const days = new GameDays({
    settings: {
      ...of,
      postgres: { ...of.postgres, stateDir: at.dir, dataDir: join(at.dir, "data") },
    },
    chronicle: { gameDay: (id) => void said.push(id) },
    clock,
    log: SILENT,
    view: () => view,
  });
  const day: GameDay = {
    id: gameDayId(clock.wallMs()),
    cluster: "demo",
    kind: "crash",
    state: "announced",
    by: "ann",
    from: "n1",
    announcedAt: clock.wallMs(),
    preconditions: [],
  };
  const startedAt =
    view.server?.seen.sql.kind === "known" ? view.server.seen.sql.value.startedAtText : "";
  return { days, day, clock, said, order: { id: day.id, term: 10, serverStartedAt: startedAt } };
}

async function begun(view?: View) {
  const m = member(view);
  await m.days.keep(m.day);
  await m.days.keep({ ...m.day, state: "begun" });
  return m;
}

describe("the end of a server for a game day", () => {
  it("is refused for one that nobody has announced, or that has not begun", async () => {
    const { days, day, order } = member();
    expect(await days.crash(order)).toContain("there is no game day");
    await days.keep(day);
    expect(await days.crash(order)).toContain("that has begun");
  });

  it("is refused for another server than the one that was looked at", async () => {
    const { days, order } = await begun();
    expect(await days.crash({ ...order, term: 11 })).toBe("another term, or nobody, leads");
    expect(await days.crash({ ...order, serverStartedAt: "long ago" })).toBe(
      "the server has been started since",
    );
  });

  it("is refused when it began too long ago, and by an agent that was started since", async () => {
    const { days, order, clock } = await begun();
    clock.at = after(clock.at, 31_000);
    expect(await days.crash(order)).toContain("began too long ago");
    expect(await member().days.crash(order)).toContain("began before this agent did");
  });

  it("is refused while anything else goes on", async () => {
    const view = primaryView();
    const paused = { ...view, config: { ...view.config, paused: true } };
    const busy = { ...view, job: { name: "clone", progress: undefined, startedAt: instant(1) } };
    const refusals: readonly (readonly [View, string])[] = [
      [paused, "paused"],
      [busy, "clone is under way"],
      [{ ...view, storeTrouble: "no answer" }, "the store cannot be read"],
      [{ ...view, lease: undefined }, "another term, or nobody, leads"],
    ];
    for (const [now, words] of refusals) {
      const { days, order, said } = await begun(now);
      expect(await days.crash(order)).toContain(words);
      expect(said).toEqual([]);
      rmSync(join(at.dir, "game-days"), { recursive: true });
    }
  });

  it("ends no process that is not the first one of this data directory", async () => {
    const { days, order, said } = await begun();
    expect(await days.crash(order)).toContain("is not known");
    expect(said).toEqual([]);
  });
});

describe("the record of a game day", () => {
  it("is kept, and refused for another cluster or out of turn", async () => {
    const { days, day } = member();
    expect(await days.keep({ ...day, cluster: "other" })).toBe("this cluster is demo");
    expect(await days.keep(day)).toBeUndefined();
    expect(await days.keep({ ...day, state: "aborted" })).toBeUndefined();
    expect(await days.keep({ ...day, state: "begun" })).toContain("is aborted");
    expect((await days.list()).map(({ state }) => state)).toEqual(["aborted"]);
  });
});
