// Who takes a lease that nobody holds, and when?
import { describe, expect, it } from "vitest";
import {
  acquireUnknown,
  armed,
  asPrimary,
  asStandby,
  BRANCH_3,
  branches,
  type Change,
  config,
  END,
  fenceDead,
  following,
  given,
  heldBy,
  holdSilentFor,
  intent,
  justWon,
  LINEAGE,
  leaderless,
  NOW,
  peerSays,
  peerSilent,
  promised,
  published,
  released,
  remembering,
  server,
  silentSql,
  sql,
  tagged,
  tags,
  unarmed,
  WALL_MS,
  watchdogIs,
  withLease,
  withoutHold,
} from "../../../../test/support/world.ts";
import { lsn } from "../../../model/lsn.ts";
import type { MemberState } from "../../../model/member.ts";
import { after } from "../../../model/time.ts";
import { decide } from "../decide.ts";

const AHEAD = lsn(0x5000100);
const patient = remembering({ racingSince: after(NOW, -8_000) });

describe("permission to acquire", () => {
  it("comes after H and the drift of clocks, on this node's own clock (R7)", () => {
    expect(decide(given(leaderless(), holdSilentFor(8_079)))).toMatchObject({
      because: "race_waiting_for_hold",
      wakeAt: NOW + 1,
    });
    expect(decide(given(leaderless(), holdSilentFor(8_080))).step).toMatchObject({
      kind: "acquire",
      basis: { holdRevision: 500, lineageRevision: 110 },
    });
  });

  it("is not the mere absence of every trace: somebody may have erased it", () => {
    const erased = given(leaderless(), withoutHold);
    expect(decide(erased)).toMatchObject({ because: "race_waiting_for_hold", wakeAt: NOW + 8_080 });
    expect(decide(erased).memory.holdGoneSince).toBe(NOW);
    const known = remembering({ holdGoneSince: after(NOW, -8_080) });
    expect(decide(given(erased, known)).step).toMatchObject({ kind: "acquire" });
  });

  it("removes the key of a holder that has been silent for H (R8)", () => {
    expect(decide(given(following(), holdSilentFor(8_080))).step).toMatchObject({
      kind: "remove-stale-leader",
      term: 100,
      hold: { modRevision: 500 },
    });
  });

  it("treats an own lease that has run out like anybody's", () => {
    const w = given(leaderless(), heldBy("n2", 200), withLease(200, -1), holdSilentFor(9_000));
    expect(decide(w).step).toMatchObject({ kind: "remove-stale-leader", term: 200 });
  });
});

describe("after a release (R25)", () => {
  it("only the heir may come first, and at once", () => {
    const toMe = given(leaderless(), released({ heir: "n2", minLsn: END }, { ago: 0 }));
    expect(decide(toMe).because).toBe("race_acquiring");
    const toN3 = given(leaderless(), released({ heir: "n3", minLsn: END }, { ago: 8_000 }));
    expect(decide(toN3).because).toBe("race_waiting_for_heir");
  });

  it("the heir needs what was demanded, until everybody may race", () => {
    const more = released({ heir: "n2", minLsn: AHEAD }, { ago: 100 });
    expect(decide(given(leaderless(), more)).because).toBe("race_waiting_for_heir");
    const late = released({ heir: "n2", minLsn: AHEAD }, { ago: 9_000 });
    expect(decide(given(leaderless(), late)).because).toBe("race_acquiring");
  });

  it("the former holder takes it back after two seconds, whoever was asked for or goes first", () => {
    const wish = intent({ leader: "n2", candidate: "n3" });
    const first = peerSays("n3", { tags: tags({ failoverPriority: 9 }) });
    const at = (ago: number) =>
      given(
        leaderless(),
        released({ heir: "n3", minLsn: END }, { ago, holder: "n2" }),
        wish,
        first,
      );
    expect(decide(at(1_999))).toMatchObject({ because: "race_waiting_for_heir", wakeAt: NOW + 1 });
    expect(decide(at(2_000)).because).toBe("race_acquiring");
  });

  it("to nobody in particular, whoever has every byte may come at once", () => {
    const enough = released({ heir: undefined, minLsn: END }, { ago: 0 });
    expect(decide(given(leaderless(), enough)).because).toBe("race_acquiring");
    const more = released({ heir: undefined, minLsn: AHEAD }, { ago: 0 });
    expect(decide(given(leaderless(), more)).because).toBe("race_waiting_for_heir");
  });

  it("measures the lag against the last byte that was released", () => {
    const far = released({ heir: "n3", minLsn: lsn(0x6000000) }, { ago: 9_000 });
    expect(decide(given(leaderless(), far)).because).toBe("race_too_far_behind");
  });

  it("an heir goes before a candidate that somebody had asked for", () => {
    const w = given(
      leaderless(),
      intent({ candidate: "n3" }),
      released({ heir: "n2", minLsn: END }, { ago: 0 }),
    );
    expect(decide(w).because).toBe("race_acquiring");
  });

  it("remembers what was demanded for its successor", () => {
    const release = { heir: "n2", minLsn: END };
    const w = given(leaderless(), released(release, { ago: 0 }));
    expect(decide(w).memory.inherited).toEqual(release);
  });
});

describe("the others", () => {
  it("may be silent: a member leads even when no peer answers", () => {
    const w = given(leaderless(), peerSilent("n3"), peerSilent("n1"));
    expect(decide(w).because).toBe("race_acquiring");
  });

  it("are waited for when they have more, a later branch or a higher priority", () => {
    for (const change of [
      { position: AHEAD },
      { lineage: [...LINEAGE, BRANCH_3], position: lsn(1) },
      { tags: tags({ failoverPriority: 2 }) },
    ]) {
      expect(decide(given(leaderless(), peerSays("n3", change))).because).toBe("race_behind");
    }
  });

  it("are not waited for when they could not win either", () => {
    for (const change of [
      { position: AHEAD, tags: tags({ nofailover: true }) },
      { position: undefined },
      { position: AHEAD, watchdogFailed: true },
    ]) {
      expect(decide(given(leaderless(), peerSays("n3", change))).because).toBe("race_acquiring");
    }
  });

  it("are waited for one H and no longer", () => {
    const w = given(leaderless(), peerSays("n3", { position: AHEAD }));
    expect(decide(given(w, remembering({ racingSince: after(NOW, -7_999) }))).because).toBe(
      "race_behind",
    );
    expect(decide(given(w, patient)).because).toBe("race_acquiring");
  });

  it("that still run a primary are waited for, with or without a lease of theirs", () => {
    for (const role of ["primary", "demoted"] as const)
      expect(decide(given(leaderless(), peerSays("n3", { role }))).because).toBe(
        "race_peer_is_primary",
      );
  });

  it("go first when a person named them and they can", () => {
    const wish = intent({ candidate: "n3" });
    expect(decide(given(leaderless(), wish)).because).toBe("race_waiting_for_candidate");
    expect(decide(given(leaderless(), wish, peerSilent("n3"))).because).toBe("race_acquiring");
    expect(decide(given(leaderless(), wish, patient)).because).toBe("race_acquiring");
    const future = intent({ candidate: "n3", scheduledAtMs: WALL_MS + 1 });
    expect(decide(given(leaderless(), future)).because).toBe("race_acquiring");
  });

  it("do not hold back the member that a person named", () => {
    const w = given(
      leaderless(),
      intent({ candidate: "n2" }),
      peerSays("n3", { position: AHEAD }),
      published(lsn(0x9000000)),
    );
    expect(decide(w).because).toBe("race_acquiring");
  });
});

describe("a member that is not fit", () => {
  it.each([
    ["tagged nofailover", tagged({ nofailover: true }), "race_not_allowed"],
    ["still replaying its own WAL", sql({ exhausted: false }), "race_unhealthy"],
    ["without a fence", fenceDead, "race_unhealthy"],
    ["more than maximum_lag_on_failover behind", published(lsn(0x5100001)), "race_too_far_behind"],
    ["on a branch that the store does not know", branches(), "race_wrong_lineage"],
    ["without a record of its history", server({ lineage: [] }), "race_wrong_lineage"],
    ["standing back", remembering({ standBackUntil: after(NOW, 1) }), "race_standing_back"],
  ])("does not lead: %s", (_, change, reason) => {
    const verdict = decide(given(leaderless(), change));
    expect(verdict.because).toBe(reason);
    expect(verdict.step).toBeUndefined();
  });

  it("may be a little behind", () => {
    expect(decide(given(leaderless(), published(lsn(0x5100000)))).because).toBe("race_acquiring");
  });

  it("stays on a timeline that the cluster has left, unless check_timeline is off", () => {
    const old = server({ lineage: LINEAGE.slice(0, 1) });
    const w = given(leaderless(), sql({ timeline: 1 }), old, peerSilent("n3"));
    expect(decide(w).because).toBe("race_wrong_lineage");
    expect(decide(given(w, config({ checkTimeline: false }))).because).toBe("race_acquiring");
  });

  it("needs its fence even when its programs were upgraded", () => {
    const w = given(leaderless(), fenceDead, server({ binariesChanged: true }));
    expect(decide(w).because).toBe("race_unhealthy");
  });
});

describe("the race itself", () => {
  it("ends a primary that nobody gave a lease", () => {
    expect(decide(given(leaderless(), asPrimary)).step).toEqual({ kind: "kill" });
  });

  it("looks again before it repeats an acquire whose answer was lost", () => {
    expect(decide(given(leaderless(), acquireUnknown(999)))).toMatchObject({
      because: "race_acquiring",
      wakeAt: NOW + 1,
    });
    expect(decide(given(leaderless(), acquireUnknown(999))).step).toBeUndefined();
    expect(decide(given(leaderless(), acquireUnknown(1_000))).step?.kind).toBe("acquire");
  });

  it("lifts a deadline of an earlier term off a standby, never off a server it cannot see", () => {
    const waiting = given(leaderless(), holdSilentFor(0), armed(99, 1_000));
    expect(decide(waiting).upkeep).toContainEqual({ kind: "disarm" });
    expect(decide(given(waiting, silentSql)).upkeep).not.toContainEqual({ kind: "disarm" });
    expect(decide(given(waiting, unarmed)).upkeep).not.toContainEqual({ kind: "disarm" });
    expect(decide(given(waiting, asStandby)).because).toBe("race_waiting_for_hold");
  });
});

describe("the last leader, whose server is coming up", () => {
  const coming = (state: MemberState, ...more: Change[]) =>
    given(leaderless(), peerSays("n1", { state, position: undefined }), ...more);

  it.each(["crashed", "starting", "running"] as const)("is waited for while it is %s", (state) => {
    expect(decide(coming(state)).because).toBe("race_behind");
  });

  it("is not waited for when it ended in order, cannot start, released its lease, or takes too long", () => {
    const others = [
      coming("stopped"),
      coming("start failed"),
      coming("crashed", released({ heir: undefined, minLsn: END }, { ago: 100 })),
      coming("crashed", patient),
    ];
    for (const w of others) expect(decide(w).because).toBe("race_acquiring");
  });
});

describe("a member that could not lead for long", () => {
  const full = server({ diskFreeBytes: 4_096 });

  it("with a full disk lets the others go first, and goes when nobody does", () => {
    expect(decide(given(leaderless(), full)).because).toBe("race_unhealthy");
    expect(decide(given(leaderless(), full, patient)).because).toBe("race_acquiring");
  });

  it("is not waited for by others although it has more", () => {
    const more = peerSays("n3", { position: AHEAD, unfit: "its disk is full" });
    expect(decide(given(leaderless(), more)).because).toBe("race_acquiring");
  });

  it("never goes without the watchdog that it must have, and any will do where none must be", () => {
    expect(decide(given(leaderless(), watchdogIs("absent"), patient)).because).toBe(
      "race_no_watchdog",
    );
    expect(decide(given(leaderless(), watchdogIs("off"))).because).toBe("race_acquiring");
  });
});

describe("a member that has promised a primary not to race (R27)", () => {
  it("waits until then, whatever hold says, and leaves the key alone", () => {
    const keyed = given(following(), holdSilentFor(20_000), promised(1_234));
    expect(decide(keyed)).toMatchObject({ because: "following" });
    expect(decide(keyed).step).toBeUndefined();
    expect(decide(given(leaderless(), promised(1_234)))).toMatchObject({
      because: "race_promised_to_peer",
      wakeAt: NOW + 1_234,
    });
  });

  it("gives back what it has won in spite of it", () => {
    expect(decide(given(justWon(), promised()))).toMatchObject({
      because: "lead_not_eligible",
      step: { kind: "release" },
    });
  });
});
