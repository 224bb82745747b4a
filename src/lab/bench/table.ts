// How are the figures printed? As a Markdown table for the reference page.
import type { Ms } from "../../model/time.ts";
import type { Measurement } from "../measure.ts";
import { middleAndWorst } from "../statistics.ts";
import type { Case } from "./cases.ts";
import type { Footprint } from "./footprint.ts";
import type { Machine } from "./machine.ts";

export interface CaseResult {
  readonly id: string;
  readonly title: string;
  readonly bound: string;
  readonly runs: readonly Measurement[];
  readonly figuresMs: readonly Ms[];
  /** Runs that never came back, with the reason. */
  readonly failures: readonly string[];
}

export interface BenchResult {
  readonly machine: Machine;
  readonly fullLoad: boolean;
  readonly cases: readonly CaseResult[];
  readonly footprints: readonly Footprint[];
}

export const figureOf = ({ figure }: Case, measurement: Measurement): Ms =>
  figure === undefined ? measurement.pauseMs : figure(measurement);

/** One case in words, for the log of a run. */
export const caseLine = ({ title, figuresMs, runs, failures }: CaseResult): string =>
  `${title}: ${middleAndWorst(figuresMs)}, ${lostRows(runs)} rows lost, ${writers(runs)}${
    failures.length === 0 ? "" : `, ${failures.length} FAILED`
  }`;

/** The whole result as Markdown. */
export function markdown({ machine, fullLoad, cases, footprints }: BenchResult): string {
  const load = fullLoad ? " under full pgbench write load" : "";
  return [
    `Write pause${load}, 3 nodes, direct multi-host client. ${machine.cores} cores, ${machine.memoryGb} GB,`,
    `${machine.system}, Node ${machine.node}, PostgreSQL ${machine.postgres}, etcd ${machine.etcd}.`,
    "",
    "| fault | runs | bound: median / worst | measured: median / worst | failed attempts: median / worst | rows lost | two writers |",
    "|---|---|---|---|---|---|---|",
    ...cases.map(
      (c) =>
        `| ${c.title} | ${c.runs.length}${failed(c)} | ${c.bound} | ${middleAndWorst(c.figuresMs)} | ${failedAttempts(c.runs)} | ${lostRows(c.runs)} | ${writers(c.runs)} |`,
    ),
    ...(footprints.length === 0 ? [] : ["", ...footprintLines(footprints)]),
  ].join("\n");
}

const failed = ({ failures }: CaseResult): string =>
  failures.length === 0 ? "" : ` (+ ${failures.length} failed)`;

/** What the load's clients saw besides a pause; `0 / 0` is a fault that nobody noticed. */
function failedAttempts(runs: readonly Measurement[]): string {
  const counts = runs.map((run) => run.failed).toSorted((a, b) => a - b);
  return `${counts[Math.floor((counts.length - 1) / 2)] ?? 0} / ${counts.at(-1) ?? 0}`;
}

const lostRows = (runs: readonly Measurement[]): number =>
  runs.reduce((sum, run) => sum + run.lost.length, 0);

function writers(runs: readonly Measurement[]): string {
  const probed = runs.filter(({ probes }) => probes !== undefined);
  if (probed.length === 0) return "not probed";
  const overlaps = probed.reduce((sum, { probes }) => sum + (probes?.overlaps.length ?? 0), 0);
  return overlaps === 0 ? "never" : `${overlaps} TIMES`;
}

function footprintLines(footprints: readonly Footprint[]): readonly string[] {
  return (["agent", "fence"] as const).map((role) => {
    const own = footprints.filter((f) => f.role === role);
    const memory = Math.max(...own.map((f) => f.residentMb));
    const cpu = Math.max(...own.map((f) => f.cpuSecondsPerMinute));
    return `Idle ${role}: at most ${memory} MB resident, ${cpu.toFixed(2)} CPU-seconds a minute.`;
  });
}
