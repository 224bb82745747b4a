// May a failover be made on purpose now? Each condition with its figure; what is not known is not met.
import { printBytes, printSpan } from "../amounts.ts";

export interface Precondition {
  readonly what: string;
  /** `n/a` where the cluster has nothing of the kind. */
  readonly state: "met" | "not met" | "n/a";
  readonly figure: string;
}

/** What must be known of one member. */
export interface MemberFacts {
  readonly name: string;
  readonly leads: boolean;
  readonly answers: boolean;
  readonly state: string;
  readonly replicationState?: string | undefined;
  readonly lagBytes?: number | undefined;
  readonly isSynchronous: boolean;
  readonly isBarred: boolean;
  readonly scheduledRestart?: string | undefined;
  /** The agent's own long step, e.g. a clone; and its workers' jobs, undefined when they could not be asked. */
  readonly step?: string | undefined;
  readonly jobs: readonly string[] | undefined;
  readonly hasFence: boolean;
}

export interface ClusterFacts {
  readonly members: readonly MemberFacts[];
  readonly paused: boolean;
  readonly unguarded?: string | undefined;
  readonly follows?: string | undefined;
  readonly storeTrouble?: string | undefined;
  /** A change of leader that somebody has asked for already. */
  readonly switchover?: string | undefined;
  /** How many synchronous standbys are asked for; 0 where replication is asynchronous. */
  readonly synchronousWanted: number;
  /** Troubles that go on or are hardly over, in which what comes next would be told as an echo; undefined: unknown. */
  readonly troubles: readonly string[] | undefined;
  /** What is left of the month's planned part over each way in; empty where nothing is measured. */
  readonly budgets: readonly { readonly way: string; readonly leftMs: number }[];
}

export interface Wish {
  /** Whom it is to go to; undefined: the best. */
  readonly wanted: string | undefined;
  readonly maxLagBytes: number;
  /** The write pause that is allowed, which the budget must still have. */
  readonly maxPauseMs: number;
}

/** In the order in which a person would look. */
export function preconditionsOf(c: ClusterFacts, wish: Wish): readonly Precondition[] {
  return [
    leading(c),
    membersWell(c),
    streaming(c),
    lagSmall(c, wish),
    heirThere(c, wish),
    synchronousThere(c),
    fencesThere(c),
    storeRead(c),
    notPaused(c),
    nothingPlanned(c),
    noJob(c),
    noTrouble(c),
    budgetLeft(c, wish),
  ];
}

export const isMet = ({ state }: Precondition): boolean => state !== "not met";

const condition = (what: string, isSo: boolean, figure: string): Precondition => ({
  what,
  state: isSo ? "met" : "not met",
  figure,
});

const standbysOf = ({ members }: ClusterFacts): readonly MemberFacts[] =>
  members.filter(({ leads }) => !leads);

/** The names with what is wrong, or how many were looked at. */
const wrong = (found: readonly string[], well: string): string =>
  found.length === 0 ? well : found.join(", ");

function leading({ members, follows }: ClusterFacts): Precondition {
  const leader = members.find(({ leads }) => leads);
  const what = "a primary leads, and no other site is followed";
  if (follows !== undefined) return condition(what, false, `the cluster follows ${follows}`);
  return condition(what, leader?.state === "running", leader?.name ?? "nobody leads");
}

function membersWell({ members }: ClusterFacts): Precondition {
  const bad = members.filter(({ answers, state }) => !answers || state !== "running");
  const found = bad.map(({ name, answers, state }) => `${name} ${answers ? state : "is silent"}`);
  const what = "every member is well";
  return condition(what, bad.length === 0 && members.length > 1, wrong(found, countOf(members)));
}

const countOf = (members: readonly MemberFacts[]): string =>
  members.length === 1 ? "one member alone" : `${members.length} of ${members.length}`;

function streaming(c: ClusterFacts): Precondition {
  const bad = standbysOf(c).filter(({ replicationState }) => replicationState !== "streaming");
  const found = bad.map(
    ({ name, replicationState }) => `${name} ${replicationState ?? "does not"}`,
  );
  return condition("every standby streams", bad.length === 0, wrong(found, countIn(standbysOf(c))));
}

const countIn = (standbys: readonly MemberFacts[]): string =>
  `${standbys.length} of ${standbys.length}`;

function lagSmall(c: ClusterFacts, { maxLagBytes }: Wish): Precondition {
  const standbys = standbysOf(c);
  const unknown = standbys.filter(({ lagBytes }) => lagBytes === undefined);
  const most = Math.max(0, ...standbys.map(({ lagBytes }) => lagBytes ?? 0));
  const figure = wrong(
    unknown.map(({ name }) => `the lag of ${name} is not known`),
    `at most ${printBytes(most)} behind, ${printBytes(maxLagBytes)} allowed`,
  );
  return condition("lag is small", unknown.length === 0 && most <= maxLagBytes, figure);
}

function heirThere(c: ClusterFacts, { wanted }: Wish): Precondition {
  const fit = standbysOf(c).filter(
    ({ name, answers, isBarred, isSynchronous }) =>
      answers &&
      !isBarred &&
      (wanted === undefined || name === wanted) &&
      (c.synchronousWanted === 0 || isSynchronous),
  );
  const what = wanted === undefined ? "a standby can take over" : `${wanted} can take over`;
  const figure = fit.map(({ name }) => name).join(", ");
  return condition(what, fit.length > 0, figure === "" ? "none" : figure);
}

function synchronousThere(c: ClusterFacts): Precondition {
  const what = "the synchronous standbys are there";
  if (c.synchronousWanted === 0)
    return { what, state: "n/a", figure: "replication is asynchronous" };
  const there = standbysOf(c).filter(({ isSynchronous, answers }) => isSynchronous && answers);
  const figure = `${there.length}, ${c.synchronousWanted} wanted`;
  return condition(what, there.length >= c.synchronousWanted, figure);
}

function fencesThere({ members }: ClusterFacts): Precondition {
  const bad = members.filter(({ answers, hasFence }) => answers && !hasFence);
  const found = bad.map(({ name }) => `${name}'s does not answer`);
  return condition("every fence answers", bad.length === 0, wrong(found, countOf(members)));
}

const storeRead = ({ storeTrouble }: ClusterFacts): Precondition =>
  condition("the store can be read", storeTrouble === undefined, storeTrouble ?? "it can");

function notPaused({ paused, unguarded }: ClusterFacts): Precondition {
  const free = unguarded === undefined ? "not paused" : `${unguarded} runs without its fence`;
  return condition("no pause", !paused && unguarded === undefined, paused ? "paused" : free);
}

function nothingPlanned({ switchover, members }: ClusterFacts): Precondition {
  const planned = [
    ...(switchover === undefined ? [] : [`a switchover ${switchover}`]),
    ...members.flatMap(({ name, scheduledRestart: at }) =>
      at === undefined ? [] : [`a restart of ${name} at ${at}`],
    ),
  ];
  return condition("nothing is scheduled", planned.length === 0, wrong(planned, "nothing"));
}

/** A backup, a restore or a copy would be cut short, or would slow the failover down. */
function noJob({ members }: ClusterFacts): Precondition {
  const found = members.flatMap(({ name, answers, step, jobs }) => [
    ...(step === undefined ? [] : [`${name}: ${step}`]),
    ...(jobs ?? (answers ? ["its jobs are not known"] : [])).map((job) => `${name}: ${job}`),
  ]);
  return condition("no backup, restore or copy runs", found.length === 0, wrong(found, "none"));
}

function noTrouble({ troubles }: ClusterFacts): Precondition {
  const what = "no trouble, now or in the last minute";
  if (troubles === undefined) return condition(what, false, "the incidents could not be read");
  return condition(what, troubles.length === 0, wrong(troubles, "none"));
}

function budgetLeft({ budgets }: ClusterFacts, { maxPauseMs }: Wish): Precondition {
  const what = "error budget is left for it";
  if (budgets.length === 0) return { what, state: "n/a", figure: "availability is not measured" };
  const worst = budgets.reduce((a, b) => (a.leftMs <= b.leftMs ? a : b));
  const left = worst.leftMs < 0 ? "none" : printSpan(worst.leftMs);
  const figure = `${left} of this month's planned part (${worst.way}), ${printSpan(maxPauseMs)} allowed for it`;
  return condition(what, worst.leftMs >= maxPauseMs, figure);
}
