// Are the promised figures met? Every fault, many times, on labs of its own.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { takeDown } from "../down.ts";
import { heal } from "../heal.ts";
import { defaultDir, type LabOptions, USUAL_LAB } from "../layout.ts";
import type { LabRecord } from "../record.ts";
import { inSeconds } from "../report.ts";
import { bringUp } from "../up.ts";
import { CASES, type Case, scene } from "./cases.ts";
import { type Footprint, footprint } from "./footprint.ts";
import { FULL_LOAD_SETTINGS, FullLoad } from "./full-load.ts";
import { describeMachine } from "./machine.ts";
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

const NAME = "bench";
const say = (text: string): void => console.error(text);

/** Measures, writes the result as JSON to a file and prints it as Markdown. Exit 3 when a run failed. */
export async function bench(wish: BenchWish): Promise<number> {
  const chosen = CASES.filter(({ id }) => wish.only.length === 0 || wish.only.includes(id));
  const cases: CaseResult[] = [];
  let footprints: readonly Footprint[] = [];
  for (const ttlSeconds of new Set(chosen.map((c) => c.ttlSeconds))) {
    const lab = await startLab(ttlSeconds, wish.fullLoad);
    try {
      if (footprints.length === 0 && wish.idleSeconds > 0) {
        footprints = await footprint(lab, wish.idleSeconds * 1000);
      }
      const own = chosen.filter((c) => c.ttlSeconds === ttlSeconds);
      cases.push(...(await measureAll(lab, own, wish)));
    } finally {
      await takeDown(lab);
    }
  }
  const result = { machine: describeMachine(), fullLoad: wish.fullLoad, cases, footprints };
  save(wish.out, result);
  console.log(markdown(result));
  return cases.every((c) => c.failures.length === 0) ? 0 : 3;
}

function startLab(ttlSeconds: number, fullLoad: boolean): Promise<LabRecord> {
  const options: LabOptions = {
    ...USUAL_LAB,
    name: NAME,
    dir: defaultDir(NAME),
    ttlSeconds,
    set: fullLoad ? FULL_LOAD_SETTINGS : {},
  };
  return bringUp(options, (step, tookMs) => say(`${step} (${inSeconds(tookMs)})`));
}

async function measureAll(
  lab: LabRecord,
  cases: readonly Case[],
  { runs, fullLoad }: BenchWish,
): Promise<readonly CaseResult[]> {
  const load = new FullLoad(lab);
  if (fullLoad) {
    await load.prepare();
    await load.start();
  }
  try {
    const results: CaseResult[] = [];
    const ready = async (): Promise<void> => {
      await heal(lab);
      if (fullLoad) await load.untilBusy();
    };
    for (const one of cases) results.push(await measureCase(lab, one, { runs, ready }));
    return results;
  } finally {
    await load.stop();
  }
}

interface Series {
  readonly runs: number;
  /** Resolves when the lab is as a run needs it. */
  readonly ready: () => Promise<void>;
}

async function measureCase(
  lab: LabRecord,
  one: Case,
  { runs, ready }: Series,
): Promise<CaseResult> {
  const result = { id: one.id, title: one.title, bound: one.bound };
  const measurements = [];
  const failures: string[] = [];
  for (let run = 1; run <= runs; run++) {
    try {
      await ready();
      const before = await scene(lab);
      const measurement = await one.run(lab);
      measurements.push(measurement);
      const figure = inSeconds(figureOf(one, measurement));
      say(`${one.id} ${run}/${runs}: ${figure}, ${measurement.lost.length} lost (${before})`);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      failures.push(why);
      say(`${one.id} ${run}/${runs}: FAILED, ${why}`);
    }
  }
  const figuresMs = measurements.map((m) => figureOf(one, m));
  const done = { ...result, runs: measurements, figuresMs, failures };
  say(caseLine(done));
  return done;
}

function save(file: string, result: BenchResult): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
}
