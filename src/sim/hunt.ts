// Plays many seeds, sums up what they reached, and stops at the first that breaks a rule when asked to.

import { type Story, type StoryResult, StoryRun } from "./story.ts";
import { type SwarmOptions, storyOf } from "./swarm.ts";

export interface Tally {
  schedules: number;
  promotions: number;
  fences: number;
  acknowledged: number;
  lost: number;
  lostAnswers: number;
  effects: number;
  readonly reasons: Map<string, number>;
  readonly edges: Map<string, number>;
  readonly failures: Failure[];
}

export interface Failure {
  readonly seed: number;
  readonly violations: readonly string[];
}

export interface HuntOptions extends SwarmOptions {
  readonly from: number;
  readonly seeds: number;
  /** Stop after so many failures. */
  readonly mostFailures: number;
  /** Told before each run, so that a thrown error can be laid at its door. */
  readonly onRun?: (run: StoryRun, seed: number) => void;
  readonly storyOf?: (seed: number) => Story;
}

export const emptyTally = (): Tally => ({
  schedules: 0,
  promotions: 0,
  fences: 0,
  acknowledged: 0,
  lost: 0,
  lostAnswers: 0,
  effects: 0,
  reasons: new Map(),
  edges: new Map(),
  failures: [],
});

const count = (map: Map<string, number>, key: string, by = 1): void => {
  map.set(key, (map.get(key) ?? 0) + by);
};

/** What one story has is summed up over many, and over what several threads have played. */
const FIGURES = [
  "promotions",
  "fences",
  "acknowledged",
  "lost",
  "lostAnswers",
  "effects",
] as const satisfies readonly (keyof Tally & keyof StoryResult)[];

function addFigures(
  tally: Tally,
  more: Pick<StoryResult, (typeof FIGURES)[number] | "edges">,
): void {
  for (const figure of FIGURES) tally[figure] += more[figure];
  for (const [edge, n] of more.edges) count(tally.edges, edge, n);
}

function add(tally: Tally, result: StoryResult, seed: number): void {
  tally.schedules += 1;
  addFigures(tally, result);
  for (const reason of result.reasons) count(tally.reasons, reason);
  if (result.violations.length > 0) tally.failures.push({ seed, violations: result.violations });
}

/** A row of seeds that one thread plays. */
export interface Share {
  readonly from: number;
  readonly seeds: number;
}

/** Small enough that all threads end at about the same time. */
const SHARE_SEEDS = 20;

export function sharesOf(from: number, seeds: number): readonly Share[] {
  const shares: Share[] = [];
  for (let done = 0; done < seeds; done += SHARE_SEEDS)
    shares.push({ from: from + done, seeds: Math.min(SHARE_SEEDS, seeds - done) });
  return shares;
}

/** What several hunts found, as if one had played all of it. */
export function sumOf(tallies: readonly Tally[]): Tally {
  const sum = emptyTally();
  for (const tally of tallies) {
    sum.schedules += tally.schedules;
    addFigures(sum, tally);
    for (const [reason, n] of tally.reasons) count(sum.reasons, reason, n);
    sum.failures.push(...tally.failures);
  }
  return sum;
}

/** Plays seeds in order. */
export async function hunt(options: HuntOptions): Promise<Tally> {
  const tally = emptyTally();
  const make = options.storyOf ?? ((seed: number) => storyOf(seed, options));
  for (let seed = options.from; seed < options.from + options.seeds; seed++) {
    const run = new StoryRun(make(seed));
    options.onRun?.(run, seed);
    add(tally, await run.play(), seed);
    if (tally.failures.length >= options.mostFailures) break;
  }
  return tally;
}
