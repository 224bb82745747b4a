// What goes on without the store, and what does not?
import { describe, expect, it } from "vitest";
import {
  accepting,
  anotherStore,
  asPrimary,
  BRANCH_2,
  BRANCH_3,
  bootstrapping,
  byPeers,
  crashed,
  failed,
  following,
  given,
  LINEAGE,
  leading,
  NOW,
  orphaned,
  paused,
  remembering,
  server,
  silentSql,
  sql,
  TERM,
  unread,
  withLease,
  withoutLease,
} from "../../../../test/support/world.ts";
import { FIRST_BRANCH } from "../../../model/timeline.ts";
import { decide } from "../decide.ts";

describe("a primary that cannot read the store", () => {
  it("goes on until shortly before its lease ends", () => {
    expect(decide(given(leading(), unread))).toMatchObject({
      because: "store_unread_lease_valid",
      vouch: true,
      wakeAt: NOW + 250,
    });
  });

  it("stops gently just before the fence would do it", () => {
    expect(decide(given(leading(), withLease(TERM, 700), unread))).toMatchObject({
      because: "store_unread_demoting",
      step: { kind: "stop", timeoutMs: 700 },
      vouch: false,
    });
  });

  it("is ended at once when it has no lease at all, paused or not", () => {
    const w = given(following(), asPrimary, unread);
    expect(decide(w)).toMatchObject({ because: "demoting_without_lease", step: { kind: "kill" } });
    expect(decide(given(w, paused)).step).toEqual({ kind: "kill" });
  });

  it("keeps its lease while its server is too busy to answer us", () => {
    expect(decide(given(leading(), unread, silentSql))).toMatchObject({
      because: "store_unread_lease_valid",
      vouch: true,
    });
  });
});

describe("a primary that lives by its peers' promises", () => {
  it("goes on, looks again soon, and still stops in time", () => {
    expect(decide(given(leading(), unread, byPeers))).toMatchObject({
      because: "store_unread_peers_promised",
      vouch: true,
      wakeAt: NOW + 250,
    });
    const late = given(leading(), unread, byPeers, withLease(TERM, 700));
    expect(decide(late).because).toBe("store_unread_demoting");
  });

  it("does not so when another store answers: that is no outage", () => {
    expect(decide(given(leading(), anotherStore, byPeers))).toMatchObject({
      because: "store_unread_lease_valid",
      vouch: false,
    });
  });
});

describe("a standby that cannot read the store", () => {
  it("keeps following", () => {
    const { because, step, vouch } = decide(given(following(), unread));
    expect({ because, step, vouch }).toEqual({
      because: "store_unread_following",
      step: undefined,
      vouch: false,
    });
  });

  it("is started for its readers, with pauses after failures", () => {
    expect(decide(given(following(), crashed, unread))).toMatchObject({
      because: "store_unread_waiting",
      step: { kind: "start-standby", upstream: undefined },
    });
    const failing = given(following(), crashed, unread, failed("start-standby", "PG_START_FAILED"));
    expect(decide(failing).because).toBe("start_backoff");
  });

  it("is not started while paused, nor half made, nor as the dead primary of a live lease", () => {
    expect(decide(given(following(), crashed, unread, paused)).step).toBeUndefined();
    expect(decide(given(following(), crashed, unread, bootstrapping)).step).toBeUndefined();
    expect(decide(given(leading(), crashed, unread)).step).toBeUndefined();
  });

  it("writes down that it has come to the timeline which it was told to follow", () => {
    const lineage = [...LINEAGE, BRANCH_3];
    const told = remembering({ told: { from: "n3.example:5432", lineage } });
    const there = given(following(), told, sql({ upstream: "n3.example:5432", timeline: 3 }));
    const record = { kind: "record-lineage", lineage };
    expect(decide(given(there, unread))).toMatchObject({ upkeep: [record], wakeAt: NOW + 250 });
    const stillOnItsWay = given(there, sql({ timeline: 2 }), unread);
    expect(decide(stillOnItsWay)).toMatchObject({ upkeep: [], wakeAt: NOW + 250 });
  });

  it("writes down nothing of another history, another source or another store (R19)", () => {
    const lineage = [...LINEAGE, BRANCH_3];
    const told = remembering({ told: { from: "n3.example:5432", lineage } });
    const there = given(following(), told, sql({ upstream: "n3.example:5432", timeline: 3 }));
    const namesake = server({ lineage: [...LINEAGE, { ...BRANCH_3, term: 150 }] });
    const fork = server({ lineage: [FIRST_BRANCH, { ...BRANCH_2, term: 90 }] });
    for (const change of [namesake, fork, sql({ upstream: "n9.example:5432" }), asPrimary])
      expect(decide(given(there, change, unread)).upkeep).toEqual([]);
    expect(decide(given(there, anotherStore)).upkeep).toEqual([]);
  });

  it("is not judged by its silence", () => {
    expect(decide(given(following(), unread, accepting("hung"))).step).toBeUndefined();
  });
});

describe("orphans without the store", () => {
  it("are ended: they could still acknowledge (R2)", () => {
    expect(decide(given(leading(), withoutLease, orphaned, unread))).toMatchObject({
      because: "fencing_orphans",
      step: { kind: "kill" },
    });
  });
});

describe("another store, or an older state of it (R31)", () => {
  it("starts nothing and promotes nothing", () => {
    expect(decide(given(following(), anotherStore))).toMatchObject({ because: "store_changed" });
    expect(decide(given(following(), crashed, anotherStore))).toMatchObject({
      because: "store_changed",
    });
    expect(decide(given(following(), crashed, anotherStore)).step).toBeUndefined();
  });

  it("lets a primary run to the end of its lease and no further", () => {
    expect(decide(given(leading(), anotherStore)).because).toBe("store_unread_lease_valid");
    expect(decide(given(leading(), withLease(TERM, 500), anotherStore)).step).toMatchObject({
      kind: "stop",
    });
  });
});
