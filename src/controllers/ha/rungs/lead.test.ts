// What does a holder of the lease do, from winning to handing over?
import { describe, expect, it } from "vitest";
import {
  armed,
  askedToRestart,
  BRANCH_3,
  branches,
  crashed,
  END,
  fenceDead,
  given,
  intent,
  justWon,
  LINEAGE,
  leading,
  NOW,
  outcome,
  peerSays,
  remembering,
  server,
  silentSql,
  sql,
  stoppedInRecovery,
  unarmed,
  WALL_MS,
} from "../../../../test/support/world.ts";
import { unknown } from "../../../model/known.ts";
import { lsn } from "../../../model/lsn.ts";
import { after } from "../../../model/time.ts";
import { decide } from "../decide.ts";
import type { HaWorld } from "../world.ts";

const AHEAD = lsn(0x5000100);
const won = (...changes: Parameters<typeof given>[1][]) => given(justWon(), ...changes);
const MINE = { ...BRANCH_3, term: 200 };

describe("a winner", () => {
  it("reserves the next timeline from where its WAL ends (R18)", () => {
    expect(decide(won())).toMatchObject({
      because: "lead_reserving_timeline",
      vouch: true,
      step: {
        kind: "reserve",
        term: 200,
        revision: 110,
        branches: [...LINEAGE, { timeline: 3, parent: 2, forkLsn: END, term: 200 }],
      },
    });
  });

  it("skips every number that was ever reserved", () => {
    const other = { ...BRANCH_3, timeline: 7, term: 150 };
    expect(decide(won(branches(...LINEAGE, other))).step).toMatchObject({
      branches: [...LINEAGE, other, { timeline: 8, parent: 2, term: 200 }],
    });
  });

  it("promotes to the timeline it reserved, with the fence armed", () => {
    expect(decide(won(branches(...LINEAGE, MINE))).step).toEqual({
      kind: "promote",
      term: 200,
      branch: MINE,
      timeoutMs: 300_000,
    });
  });

  it.each([
    ["not armed", unarmed],
    ["armed for another term", armed(100, 5_000)],
    ["armed for a moment that has passed", armed(200, 0)],
  ])("waits while the fence is %s", (_, change) => {
    const verdict = decide(won(branches(...LINEAGE, MINE), change));
    expect(verdict).toMatchObject({ because: "lead_arming", wakeAt: NOW + 100 });
    expect(verdict.step).toBeUndefined();
  });

  it("does not promote twice in one term", () => {
    const w = won(branches(...LINEAGE, MINE), sql({ timeline: 3 }));
    expect(decide(w)).toMatchObject({ because: "lead_not_eligible", step: { kind: "kill" } });
  });

  it("keeps waiting for its silent server only as long as the lease lasts", () => {
    expect(decide(won(silentSql))).toMatchObject({
      because: "lead_waiting_for_server",
      vouch: false,
    });
    expect(decide(given(leading(), silentSql)).vouch).toBe(true);
  });
});

describe("a winner that is judged again (R12)", () => {
  it("gives the lease back when it must not lead after all, and stands back", () => {
    const verdict = decide(won(fenceDead));
    expect(verdict).toMatchObject({
      because: "lead_not_eligible",
      step: { kind: "release", term: 200, release: { heir: undefined, minLsn: undefined } },
      vouch: false,
    });
    expect(verdict.memory.standBackUntil).toBe(NOW + 10_000);
  });

  it("takes back the wish that named it: the others need not wait for it", () => {
    const named = won(fenceDead, intent({ candidate: "n2" }));
    expect(decide(named).upkeep).toContainEqual({ kind: "clear-failover", revision: 450 });
    const other = won(fenceDead, intent({ candidate: "n3" }));
    const later = won(fenceDead, intent({ candidate: "n2", scheduledAtMs: WALL_MS + 1_000 }));
    for (const w of [other, later])
      expect(decide(w).upkeep.map(({ kind }) => kind)).not.toContain("clear-failover");
  });

  it("ends its server first where an earlier life may have asked for the promotion", () => {
    const w = won(fenceDead, branches(...LINEAGE, MINE));
    expect(decide(w)).toMatchObject({ because: "lead_not_eligible", step: { kind: "kill" } });
    const startedByUs = outcome("start-standby", {});
    expect(decide(given(w, startedByUs)).step).toMatchObject({ kind: "release" });
  });

  it("demands of the next one what was demanded of it", () => {
    const inherited = { heir: "n2", minLsn: END };
    expect(decide(won(fenceDead, remembering({ inherited }))).step).toMatchObject({
      release: { heir: undefined, minLsn: END },
    });
  });

  it("is still the heir that it was in the race", () => {
    const w = won(peerSays("n3", { position: AHEAD }));
    expect(decide(w).because).toBe("lead_not_eligible");
    const heir = remembering({ inherited: { heir: "n2", minLsn: END } });
    expect(decide(given(w, heir)).because).toBe("lead_reserving_timeline");
  });

  it("does not lose its patience between winning and promoting", () => {
    const patient = remembering({ racingSince: after(NOW, -9_000) });
    const w = won(peerSays("n3", { position: AHEAD }), branches(...LINEAGE, MINE), patient);
    const first = decide(w);
    expect(first.because).toBe("lead_promoting");
    expect(decide(given(w, (x) => ({ ...x, memory: first.memory }))).because).toBe(
      "lead_promoting",
    );
    expect(decide(given(w, unarmed)).memory.racingSince).toBe(NOW - 9_000);
  });

  it("offers the lease once to the one it passed over", () => {
    const patient = remembering({ racingSince: after(NOW, -9_000) });
    const w = won(peerSays("n3", { position: AHEAD }), patient);
    expect(decide(w)).toMatchObject({
      because: "lead_not_eligible",
      step: { kind: "release", release: { heir: "n3", minLsn: AHEAD } },
    });
    expect(decide(w).memory.standBackUntil).toBeUndefined();
    const offered = remembering({ inherited: { heir: "n3", minLsn: AHEAD } });
    expect(decide(given(w, offered)).because).toBe("lead_reserving_timeline");
  });

  it("forgets the race once it is a primary", () => {
    const { memory } = decide(given(leading(), remembering({ racingSince: NOW })));
    expect(memory.racingSince).toBeUndefined();
  });
});

describe("a winner whose server died before it was a primary", () => {
  it("gives the lease back", () => {
    for (const w of [won(crashed), won(stoppedInRecovery)])
      expect(decide(w)).toMatchObject({ because: "lead_not_eligible", step: { kind: "release" } });
  });

  it("does so also in the middle of a promotion (R16)", () => {
    const w = won(crashed, server({ standbySignal: false }), branches(...LINEAGE, MINE));
    expect(decide(w)).toMatchObject({ because: "lead_not_eligible", step: { kind: "release" } });
  });
});

describe("a primary with its lease", () => {
  it("is ended when it is on a timeline that nobody reserved for it", () => {
    for (const change of [
      sql({ timeline: 3 }),
      server({ lineage: [] }),
      server({ lineage: [...LINEAGE, BRANCH_3] }),
      branches(LINEAGE[0] ?? BRANCH_3, { ...BRANCH_3, timeline: 2, term: 1 }),
    ]) {
      expect(decide(given(leading(), change))).toMatchObject({
        because: "lead_wrong_timeline",
        step: { kind: "kill" },
        vouch: false,
      });
    }
  });

  it("is stopped to be restarted", () => {
    expect(decide(given(leading(), askedToRestart))).toMatchObject({
      because: "lead_restarting",
      step: { kind: "stop", heirApiUrl: undefined },
      vouch: true,
    });
  });
});

/** It was asked and has not answered in time. */
const silent =
  (name: string) =>
  (w: HaWorld): HaWorld => ({ ...w, peers: { ...w.peers, [name]: unknown("limit 100 ms", NOW) } });

describe("a switchover", () => {
  const toN2 = intent({ leader: "n1", candidate: "n2" });

  it("begins with a stop that waits for the candidate", () => {
    expect(decide(given(leading(), toN2, peerSays("n2"))).step).toMatchObject({
      kind: "stop",
      heirApiUrl: "http://n2.example:8008",
    });
  });

  it.each([
    ["is nobody who could be asked", (w: ReturnType<typeof leading>) => w],
    ["is too far behind", peerSays("n2", { position: lsn(0x4000000) })],
    ["must not lead", peerSays("n2", { unfit: "its disk is full" })],
  ])("is refused at once, and the wish cleared, when the candidate %s", (_, change) => {
    const verdict = decide(given(leading(), toN2, change));
    expect(verdict).toMatchObject({ because: "switchover_refused", vouch: true });
    expect(verdict.step).toBeUndefined();
    expect(verdict.upkeep).toContainEqual({ kind: "clear-failover", revision: 450 });
  });

  it.each([
    ["is late with its answer", silent("n2")],
    ["is no standby yet", peerSays("n2", { role: "primary" })],
    ["is still on another branch", peerSays("n2", { lineage: [...LINEAGE, BRANCH_3] })],
    ["has no settled position yet", peerSays("n2", { position: undefined })],
  ])("waits three seconds while the candidate %s, then is refused", (_, change) => {
    const first = decide(given(leading(), toN2, change));
    expect(first).toMatchObject({ because: "leading", vouch: true, wakeAt: NOW + 100 });
    expect(first.detail).toContain("a switchover waits: n2 ");
    expect(first.step).toBeUndefined();
    expect(first.upkeep.map(({ kind }) => kind)).not.toContain("clear-failover");
    const known = { revision: 450, since: NOW };
    expect(first.memory.handover).toEqual(known);
    const seen = (agoMs: number, revision = 450) =>
      given(leading(), toN2, remembering({ handover: { revision, since: after(NOW, -agoMs) } }));
    expect(decide(change(seen(2_999))).because).toBe("leading");
    expect(decide(peerSays("n2")(seen(2_999))).because).toBe("switchover_stopping");
    expect(decide(change(seen(9_000, 449))).memory.handover).toEqual(known);
    const over = decide(change(seen(3_000)));
    expect(over).toMatchObject({ because: "switchover_refused", vouch: true });
    expect(over.upkeep).toContainEqual({ kind: "clear-failover", revision: 450 });
  });

  it("waits for its time, and is refused when that has long passed", () => {
    const at = (ms: number) =>
      intent({ leader: "n1", candidate: "n2", scheduledAtMs: WALL_MS + ms });
    expect(decide(given(leading(), at(60_000), peerSays("n2")))).toMatchObject({
      because: "switchover_scheduled",
      wakeAt: NOW + 60_000,
    });
    expect(decide(given(leading(), at(-3_000), peerSays("n2"))).because).toBe(
      "switchover_stopping",
    );
    expect(decide(given(leading(), at(-3_001), peerSays("n2"))).because).toBe("switchover_refused");
  });

  it("meant for another leader is none of ours; one that has come true is cleared", () => {
    const done = decide(given(leading(), intent({ leader: "n3", candidate: "n1" })));
    expect(done.because).toBe("leading");
    expect(done.upkeep).toContainEqual({ kind: "clear-failover", revision: 450 });
  });
});
