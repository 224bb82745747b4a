// Are the promised figures met? Every fault, many times, on labs of its own.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { EXIT_WARNING } from "../commands.ts";
import type { LabRecord } from "../record.ts";
import { inSeconds } from "../report.ts";
import { EXIT_INTERRUPTED, labLeft, stopSignal } from "../stopping.ts";
import { CASES, type Case, type LabNeeds, scene } from "./cases.ts";
import { type Footprint, footprint } from "./footprint.ts";
import { describeMachine } from "./machine.ts";
import { BENCH_LAB, openStand, type Stand, say } from "./stand.ts";
import { type BenchResult, type CaseResult, caseLine, figureOf, markdown } from "./table.ts";

export interface BenchWish {
  readonly runs: number;
  /** Ids of the cases; all when empty. */
  readonly only: readonly string[];
  readonly fullLoad: boolean;
  readonly out: string;
  /** How long the idle processes are watched. */
  readonly idleSeconds: number;
}

const LAB_SECONDS = 20;
/** Filling the tables, and waiting for the clients before each run. */
const FULL_LOAD_SECONDS = { lab: 90, run: 20 } as const;

/**
 * Measures, writes the result as JSON to a file and prints it as Markdown. Exit 3 when a run failed. Whoever stops it
 * gets what was measured so far, exit 130, and no lab stays behind.
 */
export async function bench(wish: BenchWish): Promise<number> {
  const chosen = CASES.filter(({ id }) => wish.only.length === 0 || wish.only.includes(id));
  say(`${chosen.length} faults, ${wish.runs} runs each: about ${minutesFor(chosen, wish)} minutes`);
  const stop = stopSignal({
    say,
    now: "this run is the last, then its lab is taken down",
    left: () => labLeft(BENCH_LAB),
  });
  const cases: CaseResult[] = [];
  let footprints: readonly Footprint[] = [];
  const save = (): BenchResult => {
    const result = { machine: describeMachine(), fullLoad: wish.fullLoad, cases, footprints };
    mkdirSync(dirname(wish.out), { recursive: true });
    writeFileSync(wish.out, `${JSON.stringify(result, null, 2)}\n`);
    return result;
  };
  for (const needs of unlessStopped(stop, new Set(chosen.map((c) => c.needs)))) {
    const stand = openStand(needs, wish.fullLoad);
    try {
      if (footprints.length === 0 && wish.idleSeconds > 0) {
        const idle = async (lab: LabRecord) => footprint(lab, wish.idleSeconds * 1000);
        footprints = await stand.ready().then(idle).catch(failed([]));
      }
      const own = chosen.filter((c) => c.needs === needs);
      for (const one of unlessStopped(stop, own)) {
        cases.push(await measureCase(stand, one, { runs: wish.runs, stop }));
        // What is measured is kept, whatever becomes of the rest.
        save();
      }
    } finally {
      await stand.close().catch(failed(undefined));
    }
  }
  console.log(markdown(save()));
  if (stop.aborted) return EXIT_INTERRUPTED;
  return cases.every((c) => c.failures.length === 0) ? 0 : EXIT_WARNING;
}

/** Nothing is begun after the stop. */
function* unlessStopped<T>(stop: AbortSignal, items: Iterable<T>): Generator<T> {
  for (const item of items) {
    if (stop.aborted) return;
    yield item;
  }
}

/** How long it will take, roughly. */
function minutesFor(chosen: readonly Case[], { runs, fullLoad, idleSeconds }: BenchWish): number {
  const labs = new Set<LabNeeds>(chosen.map((c) => c.needs)).size;
  const perLab = LAB_SECONDS + (fullLoad ? FULL_LOAD_SECONDS.lab : 0);
  const perRun = fullLoad ? FULL_LOAD_SECONDS.run : 0;
  const seconds = chosen.reduce((sum, c) => sum + runs * (c.takesSeconds + perRun), idleSeconds);
  return Math.ceil((seconds + labs * perLab) / 60);
}

interface Series {
  readonly runs: number;
  /** No run begins after it. */
  readonly stop: AbortSignal;
}

async function measureCase(stand: Stand, one: Case, { runs, stop }: Series): Promise<CaseResult> {
  const measurements = [];
  const failures: string[] = [];
  for (let run = 1; run <= runs && !stop.aborted; run++) {
    try {
      const lab = await stand.ready();
      const before = await scene(lab);
      const measurement = await one.run(lab);
      measurements.push(measurement);
      const figure = inSeconds(figureOf(one, measurement));
      say(`${one.id} ${run}/${runs}: ${figure}, ${measurement.lost.length} lost (${before})`);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      failures.push(why);
      say(`${one.id} ${run}/${runs}: FAILED, ${why}`);
      await stand.replace().catch(failed(undefined));
    }
  }
  const figuresMs = measurements.map((m) => figureOf(one, m));
  const { id, title, bound } = one;
  const done = { id, title, bound, runs: measurements, figuresMs, failures };
  say(caseLine(done));
  return done;
}

/** Says what went wrong beside the measurements, and goes on with `instead`. */
const failed =
  <T>(instead: T) =>
  (error: unknown): T => {
    say(`FAILED, ${error instanceof Error ? error.message : String(error)}`);
    return instead;
  };
