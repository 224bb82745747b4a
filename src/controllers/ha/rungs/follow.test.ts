// Does a standby follow whom it should, and leave whom it must?
import { describe, expect, it } from "vitest";
import {
  armed,
  askedToReinitialise,
  askedToRestart,
  asPrimary,
  BRANCH_3,
  branches,
  type Change,
  config,
  END,
  following,
  given,
  heldBy,
  holdSilentFor,
  LINEAGE,
  ledByN2,
  memberIs,
  NOW,
  remembering,
  server,
  silentSql,
  sql,
  tagged,
} from "../../../../test/support/world.ts";
import { lsn } from "../../../model/lsn.ts";
import { after } from "../../../model/time.ts";
import { decide } from "../decide.ts";

/** n3 has taken over: term 300, timeline 3 from END. */
const N3 = { ...BRANCH_3, term: 300 };
const ledByN3: Change = (w) =>
  branches(...LINEAGE, N3)(memberIs("n3", { role: "primary", timeline: 3 })(heldBy("n3", 300)(w)));
const receiving = (from: string, timeline: number): Change =>
  sql({
    timeline,
    upstream: `${from}.example:5432`,
    walReceiver: {
      status: "streaming",
      host: `${from}.example`,
      port: 5432,
      slot: "n2",
      flushedLsn: END,
      timeline,
    },
  });

describe("a standby of a living leader", () => {
  it("follows and changes nothing", () => {
    const { because, step, vouch } = decide(given(following()));
    expect({ because, step, vouch }).toEqual({
      because: "following",
      step: undefined,
      vouch: false,
    });
  });

  it("below another one is on the leader's history when that one has brought it there", () => {
    const above = tagged({ replicatefrom: "n1" });
    const ahead = sql({ position: lsn(END + 0x100n) });
    const old = memberIs("n1", { role: "standby", timeline: 2 });
    const world = given(following(), ledByN3, old, above, receiving("n1", 3), ahead);
    expect(decide(world)).toMatchObject({ because: "follow_repointing" });
    const stranger = given(following(), ledByN3, old, receiving("n1", 3), ahead);
    expect(decide(stranger)).toMatchObject({ because: "rejoin_rewinding" });
  });

  it("is pointed at a new leader whose history it can follow", () => {
    expect(decide(given(following(), ledByN3))).toMatchObject({
      because: "follow_repointing",
      step: { kind: "follow", upstream: { host: "n3.example", slot: "n2" } },
    });
  });

  it("uses no slot where there are none", () => {
    const w = given(following(), ledByN3, config({ useSlots: false }));
    expect(decide(w).step).toMatchObject({ upstream: { slot: undefined } });
  });

  it("waits, looking often, until the new leader is a running primary", () => {
    const w = given(following(), heldBy("n3", 300));
    expect(decide(w)).toMatchObject({ because: "follow_waiting", wakeAt: NOW + 500 });
  });

  it("lifts a deadline that an earlier term has left", () => {
    expect(decide(given(following(), armed(90, 4_000))).upkeep).toContainEqual({ kind: "disarm" });
  });
});

describe("a standby that has more than the new leader's history", () => {
  it("is stopped to be rebuilt", () => {
    const verdict = decide(given(following(), ledByN3, sql({ position: lsn(END + 1n) })));
    expect(verdict).toMatchObject({ because: "rejoin_rewinding", step: { kind: "stop" } });
    expect(verdict.memory.divergedFrom).toBe(300);
  });

  it("is judged anew under the next leader", () => {
    const stale = remembering({ divergedFrom: 300, rewindFailedFor: 300 });
    expect(decide(given(following(), stale))).toMatchObject({ because: "following" });
    expect(decide(given(following(), stale)).memory.divergedFrom).toBeUndefined();
  });

  it("has not diverged when it already streams on the leader's timeline", () => {
    const w = given(following(), ledByN3, receiving("n3", 3), sql({ position: lsn(END + 500n) }));
    const verdict = decide(w);
    expect(verdict).toMatchObject({ because: "following", wakeAt: NOW + 500 });
    expect(verdict.upkeep).toContainEqual({ kind: "record-lineage", lineage: [...LINEAGE, N3] });
  });

  it("has diverged when that number is another term's in its own record (R19)", () => {
    const twin = server({ lineage: [...LINEAGE, { ...N3, term: 250 }] });
    const w = given(following(), ledByN3, receiving("n3", 3), twin);
    expect(decide(w).because).toBe("rejoin_rewinding");
  });
});

describe("wishes of a person", () => {
  it("begin with a stop", () => {
    expect(decide(given(following(), askedToRestart)).step).toMatchObject({ kind: "stop" });
    expect(decide(given(following(), askedToReinitialise)).step).toMatchObject({ kind: "stop" });
  });

  it("are heard also when the server answers nothing", () => {
    expect(decide(given(following(), silentSql)).because).toBe("follow_waiting");
    expect(decide(given(following(), silentSql, askedToReinitialise))).toMatchObject({
      because: "reinitialising",
      step: { kind: "stop" },
    });
  });

  it("wait for a leader to copy from", () => {
    const w = given(following(), heldBy("n3", 300), askedToReinitialise);
    expect(decide(w).because).toBe("follow_waiting");
  });
});

describe("a primary under somebody else's lease", () => {
  it("is ended at once", () => {
    const w = given(following(), asPrimary);
    expect(decide(w)).toMatchObject({ because: "follow_demoting", step: { kind: "kill" } });
    expect(decide(given(w, ledByN2)).step).toEqual({ kind: "kill" });
  });
});

describe("a standby that streams", () => {
  it("looks again the very moment at which the holder's silence becomes permission", () => {
    expect(decide(given(following(), holdSilentFor(7_000))).wakeAt).toBe(after(NOW, 1_080));
  });

  it("has not diverged when it streams on the leader's timeline and only its record is late", () => {
    const late = server({ lineage: LINEAGE.slice(0, -1) });
    expect(decide(given(following(), late))).toMatchObject({
      because: "following",
      upkeep: expect.arrayContaining([{ kind: "record-lineage", lineage: LINEAGE }]),
      wakeAt: after(NOW, 500),
    });
    const alone = sql({ walReceiver: undefined });
    expect(decide(given(following(), late, alone)).because).toBe("rejoin_rewinding");
  });
});
