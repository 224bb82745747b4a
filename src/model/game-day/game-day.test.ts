// Can a game day be aborted until it begins, and never afterwards; and does one keep another from beginning?
import { describe, expect, it } from "vitest";
import { asGameDay, type GameDay, gameDayId, mergedGameDays, objectionTo } from "./game-day.ts";

const NOW = 1_795_392_000_000;

const day = (change: Partial<GameDay> = {}): GameDay => ({
  id: gameDayId(NOW),
  cluster: "demo",
  kind: "crash",
  state: "announced",
  by: "ann",
  from: "n1",
  announcedAt: NOW,
  preconditions: [],
  ...change,
});

describe("the record of a game day", () => {
  it("goes from announced to begun to done, or to aborted", () => {
    expect(objectionTo(day(), [], NOW)).toBeUndefined();
    expect(objectionTo(day({ state: "begun" }), [day()], NOW)).toBeUndefined();
    expect(objectionTo(day({ state: "done" }), [day({ state: "begun" })], NOW)).toBeUndefined();
    expect(objectionTo(day({ state: "aborted" }), [day()], NOW)).toBeUndefined();
    expect(objectionTo(day({ state: "begun" }), [], NOW)).toContain("never announced");
    expect(objectionTo(day({ state: "done" }), [], NOW)).toBeUndefined();
  });

  it("does not begin once it was aborted, and can not be aborted once it has begun", () => {
    expect(objectionTo(day({ state: "begun" }), [day({ state: "aborted" })], NOW)).toBe(
      "G-20261123-000000 is aborted and can not be begun now",
    );
    expect(objectionTo(day({ state: "aborted" }), [day({ state: "begun" })], NOW)).toBeDefined();
    expect(objectionTo(day({ state: "begun" }), [day({ state: "begun" })], NOW)).toBeDefined();
  });

  it("keeps another from being announced, and not for ever", () => {
    const other = day({ id: gameDayId(NOW + 60_000), announcedAt: NOW + 60_000 });
    expect(objectionTo(other, [day({ state: "begun" })], NOW + 60_000)).toContain(
      "of ann is begun",
    );
    expect(objectionTo(other, [day({ state: "done" })], NOW + 60_000)).toBeUndefined();
    expect(objectionTo(other, [day({ state: "begun" })], NOW + 3_600_000)).toBeUndefined();
  });

  it("is kept as skipped beside whatever goes on, and never becomes anything else", () => {
    const skipped = day({ state: "skipped", why: "no pause: paused", momentMs: NOW });
    expect(objectionTo(skipped, [], NOW)).toBeUndefined();
    const other = day({ id: gameDayId(NOW + 60_000), state: "begun" });
    expect(objectionTo(skipped, [other], NOW)).toBeUndefined();
    expect(objectionTo(day({ state: "begun" }), [skipped], NOW)).toContain("is skipped");
    expect(objectionTo(other, [skipped, { ...other, state: "announced" }], NOW)).toBeUndefined();
    expect(asGameDay(JSON.parse(JSON.stringify(skipped)))).toEqual(skipped);
  });

  it("is read back from JSON, and anything else is not", () => {
    expect(asGameDay(JSON.parse(JSON.stringify(day())))).toEqual(day());
    expect(asGameDay({ ...day(), id: "../x" })).toBeUndefined();
    expect(asGameDay({ ...day(), kind: "fire" })).toBeUndefined();
    expect(asGameDay([])).toBeUndefined();
  });

  it("is the furthest of what several members keep", () => {
    const done = day({ state: "done" });
    expect(mergedGameDays([[day()], [done], []])).toEqual([done]);
  });
});
