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
  /** Gets the running load, for whoever looks its rows up again later. */
  readonly onLoad?: (load: Load) => void;
}

export interface Measurement {
  readonly before: { readonly primary: string; readonly timeline: number };
  readonly after: { readonly primary: string; readonly timeline: number };
  /** The longest time without an acknowledged write that ended after the fault. */
  readonly pauseMs: Ms;
  /** When that pause began and ended, counted from the fault. */
  readonly pauseFromMs: Ms;
  readonly pauseToMs: Ms;
  /** How long the former primary still acknowledged writes after the fault; unknown unless every server was asked. */
  readonly stillAcknowledgedMs: Ms | undefined;
  readonly acknowledged: number;
  readonly notPromised: number;
  /** Attempts that ended in an error or without an answer, from the beginning of the load to its end. */
  readonly failed: number;
  readonly lost: readonly LostRow[];
  readonly probes: ProbeReport | undefined;
}

/** Undisturbed load before the fault, so that its rhythm is known. */
const BEFORE_MS: Ms = 1_500;
/** Writes are back when they have flowed for this long without a break. */
const STEADY_MS: Ms = 1_500;
const BREAK_MS: Ms = 500;
const BACK_LIMIT_MS: Ms = 120_000;

/** Runs a load, makes the fault, waits until writes flow again, and looks every promised row up. */
export async function measure(lab: LabRecord, what: Measured): Promise<Measurement> {
  const before = summary(await waitForPrimary(lab, BACK_LIMIT_MS));
  const prober = what.probe === true ? await Prober.start(lab) : undefined;
  const load = await Load.start(lab, what.load ?? USUAL_LOAD);
  what.onLoad?.(load);
  try {
    await sleep(BEFORE_MS);
    const faultAt = performance.now();
    await Promise.all([what.fault(), sleep(what.watchMs)]);
    await waitFor("writes to flow again", () => flows(load), { limitMs: BACK_LIMIT_MS });
    const pause = load.ledger.longestPause(performance.now(), faultAt);
    const pauses = {
      pauseMs: Math.round(lengthOf(pause)),
      pauseFromMs: Math.round(pause.from - faultAt),
      pauseToMs: Math.round(pause.to - faultAt),
    };
    await load.stop();
    const probes = await prober?.stop();
    const lost = await load.check(BACK_LIMIT_MS);
    const after = summary(await waitForPrimary(lab, BACK_LIMIT_MS));
    const { acknowledged, notPromised, failed } = load.ledger;
    const stillAcknowledgedMs = probes && lastWriteOf(before, probes, faultAt);
    const counted = { acknowledged, notPromised, failed, lost, probes, stillAcknowledgedMs };
    return { before, after, ...pauses, ...counted };
  } finally {
    await Promise.all([load.stop(), prober?.stop()]);
  }
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
