// A story of faults: where it begins, what happens, and what must be true at its end.
import type { Tags } from "../model/settings.ts";
import type { Fault } from "./verbs.ts";

export interface Expectations {
  /** Name of the primary at the end, or a part: "the first primary", "another". */
  readonly primaryAtEnd?: "first" | "another";
  /** Promotions after the bootstrap, at least and at most. */
  readonly promotions?: readonly [least: number, most: number];
  /** The longest time without an acknowledged write, in milliseconds. */
  readonly longestPauseMs?: number;
  /** No acknowledged row may be lost, whatever the mode allows. */
  readonly losesNothing?: boolean;
  /** Some commits must be answered with the warning that they are promised by nobody (R34). */
  readonly leavesDoubts?: boolean;
  /** How often the fence of a writable server may fire. */
  readonly fences?: readonly [least: number, most: number];
  /** Reasons of the ha room that the story must pass through. */
  readonly reasons?: readonly string[];
  /** At the end the cluster still follows the other site: nobody is a primary. */
  readonly followsAtEnd?: boolean;
  /** Logical slots on the primary at the end; only a stage that can see them judges it. */
  readonly slotsAtEnd?: readonly string[];
}

export interface Scenario {
  readonly name: string;
  /** One sentence: what is shown. */
  readonly story: string;
  readonly nodes: number;
  /** Routers beside them, r1 and so on; none when left out. */
  readonly routers?: number;
  /** Settings of the cluster as in `bootstrap.dcs`. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Tags of single nodes; played in the simulator only. */
  readonly tags?: Readonly<Record<string, Partial<Tags>>>;
  /** There is a server of another site, known as `far`; played in the simulator only. */
  readonly otherSite?: boolean;
  /** To each other all members look like Patroni's: no `hold`, no word of a fence; played in the simulator only. */
  readonly strangers?: boolean;
  readonly faults: readonly Fault[];
  /** When everything is healed; the liveness phase follows. */
  readonly healAtMs: number;
  readonly endAtMs: number;
  readonly expect: Expectations;
}

/** What a stage saw. Times are in milliseconds of the story. */
export interface StoryReport {
  readonly violations: readonly string[];
  readonly firstPrimary: string | undefined;
  readonly primaryAtEnd: string | undefined;
  readonly promotions: number;
  readonly fences: number;
  readonly acknowledged: number;
  readonly lost: number;
  /** Commits that were answered with the warning about a cancelled wait. */
  readonly notPromised: number;
  readonly longestPauseMs: number;
  readonly reasons: readonly string[];
  readonly logicalSlotsAtEnd?: readonly string[];
}

/** Compares a report with a story's expectations; answers one sentence for each that is not met. */
export function unmet(expect: Expectations, report: StoryReport): readonly string[] {
  const said: string[] = [...report.violations];
  const { firstPrimary, primaryAtEnd } = report;
  if (primaryAtEnd === undefined && expect.followsAtEnd !== true)
    said.push("there is no primary at the end");
  if (primaryAtEnd !== undefined && expect.followsAtEnd === true)
    said.push(`${primaryAtEnd} is a primary at the end`);
  if (expect.primaryAtEnd === "first" && primaryAtEnd !== firstPrimary) {
    said.push(`the primary at the end is ${primaryAtEnd}, not the first one, ${firstPrimary}`);
  }
  if (expect.primaryAtEnd === "another" && primaryAtEnd === firstPrimary) {
    said.push(`the primary at the end is still ${firstPrimary}`);
  }
  if (!isWithin(report.promotions, expect.promotions)) said.push(`${report.promotions} promotions`);
  if (!isWithin(report.fences, expect.fences)) said.push(`${report.fences} fences`);
  if (expect.longestPauseMs !== undefined && report.longestPauseMs > expect.longestPauseMs) {
    said.push(`no write was acknowledged for ${Math.round(report.longestPauseMs)} ms`);
  }
  if (expect.losesNothing === true && report.lost > 0)
    said.push(`${report.lost} acknowledged rows are lost`);
  if (expect.leavesDoubts === true && report.notPromised === 0)
    said.push("no commit was answered with a warning");
  for (const reason of expect.reasons ?? []) {
    if (!report.reasons.includes(reason)) said.push(`the reason ${reason} was never given`);
  }
  const { logicalSlotsAtEnd: slots } = report;
  const isWrong = slots !== undefined && slots.join() !== (expect.slotsAtEnd ?? slots).join();
  if (isWrong) said.push(`the logical slots at the end are: ${slots.join()}`);
  return said;
}

const isWithin = (n: number, bounds: readonly [number, number] | undefined): boolean =>
  bounds === undefined || (n >= bounds[0] && n <= bounds[1]);
