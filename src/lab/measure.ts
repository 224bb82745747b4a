// What did it cost the applications? A load runs during the fault; the ledger tells.
import { setTimeout as sleep } from "node:timers/promises";
import type { Ms } from "../model/time.ts";
import { type MemberHealth, waitForPrimary } from "./health.ts";
import { type LostRow, lengthOf } from "./ledger.ts";
import { Load, type LoadOptions, USUAL_LOAD } from "./load.ts";
import { type ProbeReport, Prober } from "./prober.ts";
import type { LabRecord } from "./record.ts";
import { waitFor } from "./wait-until.ts";

export interface Measured {
  /** What is done to the cluster; the measurement goes on while it runs. */
  readonly fault: () => Promise<void>;
  /** At least so long is watched, for faults whose effect comes late. */
  readonly watchMs: Ms;
  /** Every server is asked directly as well: finds two writers. */
  readonly probe?: boolean;
  readonly load?: LoadOptions;
  /** Other loads that run at the same time, on paths of their own. */
  readonly beside?: readonly LoadOptions[];
  /** Gets the running load, for whoever looks its rows up again later. */
  readonly onLoad?: (load: Load) => void;
}

/** What a fault cost the clients of one load. */
export interface LoadCost {
  /** The longest time without an acknowledged write that ended after the fault. */
  readonly pauseMs: Ms;
  /** When that pause began and ended, counted from the fault. */
  readonly pauseFromMs: Ms;
  readonly pauseToMs: Ms;
  readonly acknowledged: number;
  readonly notPromised: number;
  /** Attempts that ended in an error or without an answer, from the beginning of the load to its end. */
  readonly failed: number;
  /** Of these, attempts that no server ever had. */
  readonly refused: number;
  /** What the failed attempts were told, and how often. */
  readonly words: Readonly<Record<string, number>>;
  readonly lost: readonly LostRow[];
}

export interface Measurement extends LoadCost {
  readonly before: { readonly primary: string; readonly timeline: number };
  readonly after: { readonly primary: string; readonly timeline: number };
  /** How long the former primary still acknowledged writes after the fault; unknown unless every server was asked. */
  readonly stillAcknowledgedMs: Ms | undefined;
  readonly probes: ProbeReport | undefined;
  /** In the order of the loads that ran beside the first one. */
  readonly beside: readonly LoadCost[];
}

/** Undisturbed load before the fault, so that its rhythm is known. */
const BEFORE_MS: Ms = 1_500;
/** Writes are back when they have flowed for this long without a break. */
const STEADY_MS: Ms = 1_500;
const BREAK_MS: Ms = 500;
const BACK_LIMIT_MS: Ms = 120_000;

/** Runs loads, makes the fault, waits until writes flow again, and looks every promised row up. */
export async function measure(lab: LabRecord, what: Measured): Promise<Measurement> {
  const before = summary(await waitForPrimary(lab, BACK_LIMIT_MS));
  const prober = what.probe === true ? await Prober.start(lab) : undefined;
  const load = await Load.start(lab, what.load ?? USUAL_LOAD);
  what.onLoad?.(load);
  const beside: Load[] = [];
  try {
    for (const options of what.beside ?? []) beside.push(await Load.start(lab, options));
    const all = [load, ...beside];
    await sleep(BEFORE_MS);
    const faultAt = performance.now();
    await Promise.all([what.fault(), sleep(what.watchMs)]);
    await waitFor("writes to flow again", () => all.every(flows), { limitMs: BACK_LIMIT_MS });
    const span = { faultAt, now: performance.now() };
    await Promise.all(all.map((one) => one.stop()));
    const probes = await prober?.stop();
    const cost = await costOf(load, span);
    const others = await Promise.all(beside.map((one) => costOf(one, span)));
    const after = summary(await waitForPrimary(lab, BACK_LIMIT_MS));
    const stillAcknowledgedMs = probes && lastWriteOf(before, probes, faultAt);
    return { before, after, ...cost, probes, stillAcknowledgedMs, beside: others };
  } finally {
    await Promise.all([...beside.map((one) => one.stop()), load.stop(), prober?.stop()]);
  }
}

/** Of a load that has stopped. */
async function costOf(load: Load, { faultAt, now }: { faultAt: Ms; now: Ms }): Promise<LoadCost> {
  const pause = load.ledger.longestPause(now, faultAt);
  const { acknowledged, notPromised, failed, refused, words } = load.ledger;
  return {
    pauseMs: Math.round(lengthOf(pause)),
    pauseFromMs: Math.round(pause.from - faultAt),
    pauseToMs: Math.round(pause.to - faultAt),
    acknowledged,
    notPromised,
    failed,
    refused,
    words,
    lost: await load.check(BACK_LIMIT_MS),
  };
}

function flows(load: Load): boolean {
  const now = performance.now();
  return lengthOf(load.ledger.longestPause(now, now - STEADY_MS)) < BREAK_MS;
}

/** When the primary's last acknowledged write left, counted from the fault: nothing after it is doomed. */
function lastWriteOf(
  { primary, timeline }: Measurement["before"],
  { spans }: ProbeReport,
  faultAt: Ms,
): Ms {
  const own = spans.filter(
    (s) => s.node === primary && Number.parseInt(s.timeline, 16) === timeline,
  );
  return Math.max(0, ...own.map(({ lastSentAt }) => Math.round(lastSentAt - faultAt)));
}

const summary = ({ member, timeline }: MemberHealth) => ({
  primary: member.name,
  timeline: timeline ?? 0,
});
