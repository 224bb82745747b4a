// What do outcomes teach, and are they learnt once?
import { describe, expect, it } from "vitest";
import {
  crashed,
  failed,
  following,
  given,
  leaderless,
  ledByN2,
  NOW,
  orphaned,
  outcome,
  remembering,
  unread,
  withoutHold,
} from "../../../../test/support/world.ts";
import { after } from "../../../model/time.ts";
import { digest } from "./memory.ts";

describe("an outcome", () => {
  it("is digested once", () => {
    const w = given(following(), crashed, failed("start-standby", "PG_START_FAILED"));
    const first = digest(w);
    expect(first).toMatchObject({ startFailures: 1, startFailedAt: NOW - 10 });
    expect(digest({ ...w, memory: first })).toEqual(first);
  });

  it("of a later time is a new one", () => {
    const w = given(following(), crashed, failed("start-standby", "PG_START_FAILED", 500));
    const again = given(w, failed("start-standby", "PG_START_FAILED", 10));
    expect(digest({ ...again, memory: digest(w) }).startFailures).toBe(2);
  });

  it("does not hide another kind's at the same instant", () => {
    const w = given(following(), failed("rewind", "PG_REWIND_FAILED"), outcome("start-standby"));
    const memory = digest(given(w, remembering({ divergedFrom: 100, startFailures: 3 })));
    expect(memory).toMatchObject({ rewindFailedFor: 100, startFailures: 0 });
  });
});

describe("the lessons", () => {
  it("a failed promotion makes this member stand back for one ttl (R37)", () => {
    const w = given(leaderless(), failed("promote", "PG_PROMOTE_FAILED", 100));
    expect(digest(w).standBackUntil).toBe(NOW - 100 + 10_000);
    expect(digest(given(leaderless(), outcome("promote"))).standBackUntil).toBeUndefined();
  });

  it("a rebuild that worked ends the divergence; a failed rewind asks for a clone", () => {
    const diverged = remembering({ divergedFrom: 100 });
    for (const kind of ["rewind", "clone"] as const)
      expect(digest(given(following(), diverged, outcome(kind))).divergedFrom).toBeUndefined();
    const tried = digest(given(following(), diverged, failed("rewind", "PG_REWIND_FAILED")));
    expect(tried).toMatchObject({ divergedFrom: 100, rewindFailedFor: 100 });
  });

  it("a divergence from one leader says nothing about the next, nor about one unseen", () => {
    const diverged = remembering({ divergedFrom: 100, rewindFailedFor: 100 });
    expect(digest(given(following(), ledByN2, diverged)).divergedFrom).toBeUndefined();
    expect(digest(given(leaderless(), diverged)).divergedFrom).toBe(100);
    expect(digest(given(following(), unread, diverged)).rewindFailedFor).toBe(100);
  });
});

describe("the clocks of memory", () => {
  it("date a death by when it was first seen", () => {
    expect(digest(given(following(), crashed)).downSince).toBe(NOW);
    const since = remembering({ downSince: after(NOW, -700) });
    expect(digest(given(following(), orphaned, since)).downSince).toBe(NOW - 700);
    expect(digest(given(following(), since)).downSince).toBeUndefined();
  });

  it("date the disappearance of the hold, through times without the store", () => {
    expect(digest(given(leaderless(), withoutHold)).holdGoneSince).toBe(NOW);
    const since = remembering({ holdGoneSince: after(NOW, -700) });
    expect(digest(given(leaderless(), withoutHold, since)).holdGoneSince).toBe(NOW - 700);
    expect(digest(given(leaderless(), unread, since)).holdGoneSince).toBe(NOW - 700);
    expect(digest(given(leaderless(), since)).holdGoneSince).toBeUndefined();
    expect(digest(given(leaderless(), unread)).holdGoneSince).toBeUndefined();
  });
});
