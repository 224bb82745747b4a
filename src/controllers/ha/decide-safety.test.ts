// Can any mixture of circumstances talk the ladder into something unsafe?
import { isDeepStrictEqual } from "node:util";
import { array, check, constantFrom, defaultReportMessage, property, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import { letGo, recorded } from "../../../test/support/pause-world.ts";
import {
  accepting,
  acquireUnknown,
  anotherStore,
  armed,
  asked,
  askedToReinitialise,
  askedToRestart,
  asPrimary,
  asStandby,
  BRANCH_3,
  bootstrapping,
  branches,
  type Change,
  claimed,
  config,
  crashed,
  detached,
  END,
  emptyStore,
  failed,
  fenceDead,
  following,
  foreignSystem,
  given,
  heldBy,
  holdSilentFor,
  intent,
  jobOf,
  justWon,
  LINEAGE,
  later,
  leaderless,
  leading,
  ledByN2,
  memberIs,
  NOW,
  noData,
  orphaned,
  outcome,
  paused,
  peerSays,
  peerSilent,
  published,
  released,
  remembering,
  server,
  silentSql,
  sql,
  startedAgo,
  stoppedAt,
  stoppedInRecovery,
  stray,
  TERM,
  tagged,
  unarmed,
  unborn,
  unread,
  WALL_MS,
  withLease,
  withoutHold,
  withoutLeader,
  withoutLease,
} from "../../../test/support/world.ts";
import { isValid, rivalMayActAt } from "../../model/lease.ts";
import { lsn } from "../../model/lsn.ts";
import { after } from "../../model/time.ts";
import type { Decision } from "../controller.ts";
import { decide } from "./decide.ts";
import type { HaStep } from "./steps.ts";
import type { HaMemory, HaWorld } from "./world.ts";

const PLAN = { parameters: {}, pgHba: [], pgIdent: [], members: 10 };
const LONG_STEPS: readonly HaStep[] = [
  { kind: "promote", term: 200, branch: BRANCH_3, timeoutMs: 300_000 },
  { kind: "start-primary", plan: PLAN, term: TERM, timeoutMs: 300_000 },
  { kind: "start-standby", plan: PLAN, upstream: undefined, timeoutMs: 300_000 },
  { kind: "stop", timeoutMs: 1_000, heirApiUrl: undefined },
  { kind: "initialise", plan: PLAN },
];

const STORE: readonly Change[] = [
  unread,
  anotherStore,
  emptyStore,
  withoutLeader,
  withoutHold,
  heldBy("n1", TERM),
  heldBy("n2", 200),
  heldBy("n3", 300),
  heldBy("n2", 200, "lease-of-a-clone"),
  ledByN2,
  holdSilentFor(0),
  holdSilentFor(7_999),
  holdSilentFor(9_000),
  released({ heir: "n2", minLsn: END }, { ago: 0 }),
  released({ heir: "n3", minLsn: END }, { ago: 2_500 }),
  released({ heir: undefined, minLsn: lsn(0x6000000) }, { ago: 100, holder: "n2" }),
  released({ heir: "n3", minLsn: END }, { ago: 2_500, holder: "n2" }),
  memberIs("n1", { role: "standby" }),
  branches(),
  branches(...LINEAGE, BRANCH_3),
  published(lsn(0x9000000)),
  intent({ leader: "n1", candidate: "n2" }),
  recorded("n1"),
  recorded("n2"),
  recorded("n3", 300),
  intent({ candidate: "n3" }),
  intent({ candidate: "n2" }),
  intent({ leader: "n2", scheduledAt: "x", scheduledAtMs: WALL_MS + 5_000 }),
  intent({ leader: "n1", scheduledAt: "x", scheduledAtMs: WALL_MS - 50_000 }),
  paused,
  config({ usePgRewind: false }),
  config({ checkTimeline: false }),
];

const NODE: readonly Change[] = [
  withLease(TERM),
  withLease(200),
  withLease(TERM, 300),
  withLease(TERM, -1),
  withoutLease,
  acquireUnknown(500),
  acquireUnknown(20_000),
  armed(200, 4_000),
  armed(TERM, -1),
  unarmed,
  letGo,
  fenceDead,
  asPrimary,
  asStandby,
  crashed,
  stoppedAt(END),
  stoppedInRecovery,
  orphaned,
  accepting("hung"),
  accepting("stopped"),
  accepting("starting"),
  stray,
  startedAgo(400_000),
  startedAgo(10),
  silentSql,
  detached,
  noData("empty"),
  noData("marked"),
  noData("foreign"),
  foreignSystem,
  server({ control: undefined }),
  server({ lineage: [] }),
  server({ lineage: [...LINEAGE, BRANCH_3] }),
  server({ standbySignal: true }),
  server({ standbySignal: false }),
  sql({ exhausted: false }),
  sql({ timeline: 3 }),
  sql({ position: lsn(0x7000000) }),
  sql({ upstream: "n3.example:5432" }),
  tagged({ nofailover: true }),
  tagged({ failoverPriority: 0 }),
];

const MINDS: readonly Change[] = [
  peerSays("n1", { role: "primary" }),
  peerSays("n2"),
  peerSays("n3", { position: lsn(0x5000100) }),
  peerSays("n3", { lineage: [...LINEAGE, BRANCH_3] }),
  peerSays("n3", { position: undefined }),
  peerSilent("n1"),
  peerSilent("n3"),
  asked({ stopping: "stop" }),
  asked({ stopping: "detach" }),
  askedToRestart,
  askedToReinitialise,
  ...LONG_STEPS.map((step) => jobOf(step)),
  jobOf(LONG_STEPS[0] ?? { kind: "kill" }, { cancelled: true }),
  jobOf(LONG_STEPS[1] ?? { kind: "kill" }, { agoMs: 400_000 }),
  failed("start-standby", "PG_START_FAILED"),
  failed("start-primary", "PG_DISK_FULL"),
  failed("promote", "PG_PROMOTE_FAILED"),
  failed("rewind", "PG_REWIND_FAILED"),
  failed("clone", "PG_CLONE_FAILED"),
  failed("finish-bootstrap", "NOT_POSSIBLE"),
  outcome("find-crash-end", { agoMs: 0, result: { kind: "end", lsn: END } }),
  outcome("find-crash-end", { agoMs: 0, result: { kind: "unknown", why: "torn" } }),
  outcome("initialise", { agoMs: 1_000 }),
  outcome("record-unguarded", { agoMs: 20, result: "written" }),
  outcome("clear-unguarded", { agoMs: 10, result: "written" }),
  remembering({ crashes: [after(NOW, -90_000), after(NOW, -70_000), after(NOW, -3_000)] }),
  remembering({ downSince: after(NOW, -10) }),
  remembering({ downSince: after(NOW, -10_000) }),
  remembering({ racingSince: after(NOW, -9_000) }),
  remembering({ standBackUntil: after(NOW, 5_000) }),
  remembering({ divergedFrom: 200, rewindFailedFor: 200 }),
  bootstrapping,
  claimed,
  later(1),
  later(2_500),
  later(60_000),
];

const BASES = [leading(), following(), leaderless(), justWon(), unborn()];

const anyWorld = tuple(
  constantFrom(...BASES),
  array(constantFrom(...STORE, ...NODE, ...MINDS), { maxLength: 9 }),
).map(([base, changes]) => given(base, ...changes));

type Answer = Decision<HaStep, HaMemory>;

/** A world, among thousands, in which the decision is not as it should be; undefined when there is none. */
function counterexample(holds: (answer: Answer, w: HaWorld) => boolean): string | undefined {
  const run = check(
    property(anyWorld, (w) => holds(decide(w), w)),
    { numRuns: 6_000 },
  );
  return run.failed ? defaultReportMessage(run) : undefined;
}

const cluster = (w: HaWorld) => (w.store.kind === "known" ? w.store.value : undefined);
const inRecovery = (w: HaWorld): boolean | undefined =>
  w.server.process.kind === "running" && w.server.sql.kind === "known"
    ? w.server.sql.value.inRecovery
    : undefined;
const isLawful = (w: HaWorld): boolean => isValid(w.lease.held, w.now);
/** R30, told once more: let go by the fence, and nobody who can be asked says that this was taken back. */
const isFree = (w: HaWorld): boolean =>
  w.fence.unguarded !== undefined &&
  w.server.process.kind === "running" &&
  (w.server.process.guarded || !w.fence.alive) &&
  (cluster(w)?.unguarded.value?.member ?? w.self.name) === w.self.name &&
  (cluster(w) === undefined || cluster(w)?.unguarded.value !== undefined);
const oneOf = (kinds: readonly (HaStep["kind"] | undefined)[], { step }: Answer): boolean =>
  kinds.includes(step?.kind);

/** A promotion of that term was prepared, nothing says that it is over, and this agent has not started the standby. */
function isInTheMaking(w: HaWorld, term: number): boolean {
  const branch = cluster(w)?.lineage.value.findLast((b) => b.term === term);
  const isOver = w.server.lineage.at(-1)?.term === term;
  return branch !== undefined && !isOver && w.outcomes["start-standby"]?.ok !== true;
}

describe("in any world the ladder", () => {
  it("answers, with no step beside a running job, and cancels only a job that runs", () => {
    const found = counterexample(({ step, cancelJob }, w) =>
      w.job === undefined ? cancelJob === undefined : step === undefined,
    );
    expect(found).toBeUndefined();
  });

  it("gives the same answer twice", () => {
    const found = counterexample((answer, w) => isDeepStrictEqual(decide(w), answer));
    expect(found).toBeUndefined();
  });

  it("opens the server to writes only under a valid lease of that term", () => {
    const found = counterexample(({ step }, w) => {
      if (step?.kind !== "promote" && step?.kind !== "start-primary") return true;
      const { term } = step;
      return isLawful(w) && w.lease.held?.term === term && cluster(w)?.leader?.term === term;
    });
    expect(found).toBeUndefined();
  });

  it("promotes only with the fence armed for that term", () => {
    const found = counterexample(({ step }, w) => {
      if (step?.kind !== "promote") return true;
      const { alive, armed: record } = w.fence;
      return alive && record?.term === step.term && record.until > w.now;
    });
    expect(found).toBeUndefined();
  });

  it("gives a lease back only when no primary can be running under it", () => {
    const found = counterexample(({ step }, w) => {
      if (step?.kind !== "release" || w.server.process.kind === "down") return true;
      return inRecovery(w) === true && !isInTheMaking(w, step.term);
    });
    expect(found).toBeUndefined();
  });
});

/** R7, told once more without the words of the code: silence for H, or a release to me, to anybody, or by me. */
function isPermitted(w: HaWorld): boolean {
  const c = cluster(w);
  if (c === undefined || c.leader !== undefined) return false;
  const { hold } = c;
  const free = c.unguarded.value?.member;
  if (free !== undefined && free !== w.self.name) return false;
  if (free !== undefined && isFree(w) && inRecovery(w) === false) return true;
  if (hold === undefined) {
    const bySilence = w.now >= rivalMayActAt(w.self.startedAt, 8_000);
    return c.initialize.value === undefined ? w.claimed : bySilence;
  }
  if (w.holdSeen?.revision !== hold.modRevision) return false;
  if (w.now >= rivalMayActAt(w.holdSeen.seenAt, hold.holdMs)) return true;
  if (hold.released === undefined) return false;
  const { heir } = hold.released;
  return heir === undefined || heir === w.self.name || hold.holder === w.self.name;
}

describe("in any world the ladder also", () => {
  it("acquires only a free lease with permission", () => {
    const found = counterexample(({ step }, w) => step?.kind !== "acquire" || isPermitted(w));
    expect(found).toBeUndefined();
  });

  it("vouches only for a lease that it holds", () => {
    expect(counterexample(({ vouch }, w) => !vouch || w.lease.held !== undefined)).toBeUndefined();
  });

  it("ends a primary that has no lease", () => {
    const found = counterexample((answer, w) => {
      if (inRecovery(w) !== false || isLawful(w) || w.job !== undefined) return true;
      if (w.config.paused || w.requests.stopping === "detach" || isFree(w)) return true;
      // Another cluster's server that we did not start is refused, not ended.
      if (answer.because === "foreign_system_id" || answer.because === "foreign_data") return true;
      return oneOf(["kill", "stop", "adopt", "drop-lease"], answer);
    });
    expect(found).toBeUndefined();
  });

  it("lifts the fence's deadline only off a known standby without a lease", () => {
    const found = counterexample(
      ({ upkeep }, w) =>
        upkeep.every((u) => u.kind !== "disarm") ||
        (inRecovery(w) === true &&
          w.lease.held === undefined &&
          !isInTheMaking(w, w.fence.armed?.term ?? 0)),
    );
    expect(found).toBeUndefined();
  });

  it("lets a server go only in a pause, under the deadline of its term, named by the store", () => {
    const found = counterexample(({ step }, w) => {
      if (step?.kind !== "unguard") return true;
      const record = cluster(w)?.unguarded.value;
      const isNamed = record?.member === w.self.name && record.term === step.term;
      return w.config.paused && isNamed && isLawful(w) && w.lease.held?.term === step.term;
    });
    expect(found).toBeUndefined();
  });

  it("takes its record away only for a server that is guarded, down, or a standby", () => {
    const found = counterexample(({ step }, w) => {
      if (step?.kind !== "clear-unguarded") return true;
      const { armed: record, unguarded } = w.fence;
      const isGuarded = record !== undefined && record.until > w.now && unguarded === undefined;
      return w.server.process.kind === "down" || inRecovery(w) === true || isGuarded;
    });
    expect(found).toBeUndefined();
  });

  it("starts, stops and promotes nothing by itself while paused", () => {
    const found = counterexample((answer, w) => {
      const { stopping, restart, reinitialise } = w.requests;
      const isAsked = [stopping, restart, reinitialise, cluster(w)?.failover.value];
      if (!w.config.paused || isAsked.some((wish) => wish !== undefined)) return true;
      // The lease rules even then: a primary that runs out of it ends.
      if (w.lease.held !== undefined && !isValid(w.lease.held, after(w.now, 700))) return true;
      if (inRecovery(w) === false && w.lease.held === undefined && !isFree(w)) return true;
      const ofThePause = ["record-unguarded", "unguard", "guard", "clear-unguarded"] as const;
      // A key that another holds although the store names us is no pause any more.
      if (cluster(w)?.leader !== undefined && cluster(w)?.leader?.name !== w.self.name) return true;
      return oneOf([undefined, "adopt", "drop-lease", "acquire", ...ofThePause], answer);
    });
    expect(found).toBeUndefined();
  });
});
