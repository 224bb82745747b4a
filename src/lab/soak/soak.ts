// Does a real cluster keep its promises through one random fault after another?
//
// Each round: a load with a ledger and a prober at every server, one trouble from the dice, the healing, and
// then the questions: are all promised rows there, were there never two writers, does every member stream again?
import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../../model/error.ts";
import type { Ms } from "../../model/time.ts";
import { heal } from "../heal.ts";
import { primaryOf } from "../health.ts";
import type { LostRow } from "../ledger.ts";
import type { Load } from "../load.ts";
import { type Measurement, measure } from "../measure.ts";
import { nodeFor, playVerb } from "../play.ts";
import type { LabRecord } from "../record.ts";
import { waitForSync } from "../sync-standbys.ts";
import { waitFor } from "../wait-until.ts";
import { brokenPromises, type Mode } from "./loss.ts";
import { type Count, canSuffer, failoversOf, type Round, roundsOf, TROUBLES } from "./troubles.ts";

export interface SoakWish {
  readonly seed: number;
  readonly mode: Mode;
  /** Only these kinds; all that the lab can suffer when empty. */
  readonly only: readonly string[];
  /** The soak ends with the round in which this answers true. */
  readonly isOver: (rounds: number) => boolean;
  /** Only what leads to failovers, until there are so many of each kind; without it the dice choose. */
  readonly failovers?:
    | { readonly wanted: number; readonly soFar: (kind: string) => Count }
    | undefined;
}

export interface RoundReport {
  readonly mode: Mode;
  readonly kind: string;
  /** Who was hit, by name, or the part nobody had at that moment. */
  readonly node: string;
  readonly forMs: Ms;
  readonly failovers: number;
  readonly pauseMs: Ms;
  readonly acknowledged: number;
  readonly lost: number;
  /** What must never be: one sentence each. */
  readonly broken: readonly string[];
  /** An operation that the cluster refused, in its words; refusing is no fault. */
  readonly refused: string | undefined;
}

export interface SoakReport {
  readonly rounds: readonly RoundReport[];
  /** What was wrong at the very end: a row of an earlier round that has gone since. */
  readonly brokenAtEnd: readonly string[];
}

const BACK_LIMIT_MS: Ms = 180_000;
const LOOK_AGAIN_LIMIT_MS: Ms = 60_000;

/** The rows of a round, to be looked up again at the end. */
interface Kept {
  readonly kind: string;
  readonly load: Load;
  readonly lost: number;
}

/** Plays rounds on a healthy lab until it is over, or a cluster does not come back. */
export async function soak(
  lab: LabRecord,
  wish: SoakWish,
  tell: (round: RoundReport) => void,
): Promise<SoakReport> {
  const { mode, isOver } = wish;
  const rounds: RoundReport[] = [];
  const kept: Kept[] = [];
  const planned = plan(lab, wish);
  for (let isDead = false; !isDead && !isOver(rounds.length); ) {
    const round = planned.next().value;
    if (round === undefined) break;
    const { report, load } = await playRound(lab, round, mode);
    rounds.push(report);
    tell(report);
    if (load === undefined) isDead = true;
    else kept.push({ kind: report.kind, load, lost: report.lost });
  }
  return { rounds, brokenAtEnd: await lookAgain(kept) };
}

function plan(lab: LabRecord, { seed, only, failovers }: SoakWish): Iterator<Round, undefined> {
  const chosen = choose(lab, only);
  if (failovers === undefined) return roundsOf(seed, chosen);
  return failoversOf(chosen, failovers.wanted, failovers.soFar);
}

function choose(lab: LabRecord, only: readonly string[]) {
  const known = TROUBLES.map(({ kind }) => kind);
  const unknown = only.filter((kind) => !known.includes(kind));
  if (unknown.length > 0) {
    const why = `choose from ${known.join(",")}`;
    throw new AppError("LAB_NOT_FOUND", `find the trouble ${unknown.join(", ")}`, why);
  }
  const chosen = TROUBLES.filter(({ kind }) => only.length === 0 || only.includes(kind));
  const possible = chosen.filter((trouble) => canSuffer(lab, trouble));
  if (possible.length > 0) return possible;
  throw new AppError("NOT_POSSIBLE", `play ${only.join(", ")}`, "this lab has no hosts or disks");
}

/** One round. Without a load in the answer the cluster did not come back, and nothing more can be asked. */
async function playRound(
  lab: LabRecord,
  { trouble, target, forTtls, isOverWithFailover }: Round,
  mode: Mode,
): Promise<{ report: RoundReport; load: Load | undefined }> {
  const forMs = Math.round(forTtls * lab.ttlSeconds * 1000);
  let load: Load | undefined;
  let faultAt = 0;
  let node: string = target;
  let refused: string | undefined;
  const fault = async (): Promise<void> => {
    node = (await nodeFor(lab, target)) ?? target;
    faultAt = performance.now();
    for (const verb of trouble.verbs(node)) refused ??= await play(lab, verb);
    await (isOverWithFailover ? anotherLeads(lab, node, forMs) : sleep(forMs));
    await heal(lab, BACK_LIMIT_MS);
  };
  const known = () => ({ mode, kind: trouble.kind, node, forMs, refused });
  try {
    // A promise of a synchronous mode is made while a standby stands for it.
    if (mode !== "off") await waitForSync(lab, BACK_LIMIT_MS);
    const keep = (started: Load): void => {
      load = started;
    };
    const measured = await measure(lab, { fault, watchMs: 0, probe: true, onLoad: keep });
    const broken = judge(measured, { mode, mayLose: trouble.mayLose, faultAt });
    return { report: { ...known(), ...counted(measured), broken }, load };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const broken = [`the cluster did not come back: ${why}`];
    const nothing = { failovers: 0, pauseMs: 0, acknowledged: 0, lost: 0 };
    return { report: { ...known(), ...nothing, broken }, load: undefined };
  }
}

/** Returns when a member other than `before` leads, or when the time is over: some faults need none. */
async function anotherLeads(lab: LabRecord, before: string, limitMs: Ms): Promise<void> {
  const leads = async (): Promise<boolean> => {
    const name = (await primaryOf(lab))?.member.name;
    return name !== undefined && name !== before;
  };
  await waitFor("another primary", leads, { limitMs }).catch(() => undefined);
}

/** Plays a verb; answers the words of a refusal. */
async function play(lab: LabRecord, verb: Parameters<typeof playVerb>[1]) {
  try {
    await playVerb(lab, verb);
    return undefined;
  } catch (error) {
    if (error instanceof AppError && error.code === "NOT_POSSIBLE") return error.lines().join("; ");
    throw error;
  }
}

const counted = ({ before, after, pauseMs, acknowledged, lost }: Measurement) => ({
  failovers: Math.max(0, after.timeline - before.timeline),
  pauseMs,
  acknowledged,
  lost: lost.length,
});

function judge(
  { lost, probes }: Measurement,
  circumstances: Parameters<typeof brokenPromises>[1],
): readonly string[] {
  const gone = brokenPromises(lost, circumstances);
  const overlaps = probes?.overlaps ?? [];
  return [
    ...(gone.length === 0 ? [] : [`${gone.length} promised rows are lost: ${some(gone)}`]),
    ...overlaps.map((o) => `${o.first.node} and ${o.second.node} both took writes for ${o.ms} ms`),
  ];
}

const some = (rows: readonly LostRow[]): string =>
  rows
    .slice(0, 5)
    .map(({ worker, sequence }) => `worker ${worker} row ${sequence}`)
    .join(", ");

/** Rows that were there after their round must be there still. */
async function lookAgain(kept: readonly Kept[]): Promise<readonly string[]> {
  const said: string[] = [];
  for (const { kind, load, lost } of kept) {
    const now = await load.check(LOOK_AGAIN_LIMIT_MS).catch(() => undefined);
    if (now === undefined) said.push(`nobody answers for the rows of ${kind}`);
    else if (now.length > lost) said.push(`${now.length - lost} rows of ${kind} went later`);
  }
  return said;
}
