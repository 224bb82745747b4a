// What does the schedule take from the command that made its game day, or did not?
import { describe, expect, it } from "vitest";
import type { Finding, GameDay } from "../../model/game-day/game-day.ts";
import { endingOf } from "./scheduled.ts";

const made = (findings: readonly Finding[], verdict: "passed" | "failed" | "unknown"): string => {
  const item: GameDay = {
    ...{ id: "G-20261127-100000", cluster: "demo", kind: "crash", state: "done" },
    ...{ by: "the schedule, on n2", from: "n1", announcedAt: 1, preconditions: [] },
    report: { verdict, endedAt: 2, phases: [], pauses: [], findings },
  };
  return JSON.stringify({ item });
};

const pause: Finding = { name: "write-pause", found: "41 s", limit: "at most 30 s", kept: "no" };

describe("the end of a game day by schedule", () => {
  it("is done when every promise was kept", () => {
    const kept = { ...pause, kept: "yes" } as const;
    expect(endingOf(0, made([kept], "passed"), "")).toEqual({ outcome: "done" });
  });

  it("has failed by the names of what was not kept", () => {
    expect(endingOf(4, made([pause], "failed"), "")).toEqual({
      outcome: "failed",
      why: "G-20261127-100000 failed: write-pause 41 s",
    });
  });

  it("is skipped for the reason that the command gives, or for its end", () => {
    expect(endingOf(6, "", "a condition is not met\nno pause: paused\n")).toEqual({
      outcome: "skipped",
      why: "a condition is not met; no pause: paused",
    });
    expect(endingOf(undefined, "", "")).toMatchObject({ outcome: "skipped" });
    expect(endingOf(0, "{", "")).toMatchObject({ outcome: "skipped" });
  });
});
