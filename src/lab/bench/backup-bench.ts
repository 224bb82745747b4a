// How fast are backups, WAL and restores? A lab of its own with a repository; prints a table with ratios and rates.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { takeDown } from "../down.ts";
import { waitForHealthy } from "../health.ts";
import { defaultDir, USUAL_LAB } from "../layout.ts";
import { findLab } from "../record.ts";
import { inSeconds } from "../report.ts";
import { median } from "../statistics.ts";
import { EXIT_INTERRUPTED, labLeft, stopSignal } from "../stopping.ts";
import { bringUp } from "../up.ts";
import { BackupWorks, type Turn } from "./backup-works.ts";
import { describeMachine, type Machine } from "./machine.ts";
import { say } from "./stand.ts";

export interface BackupBenchWish {
  readonly runs: number;
  readonly megabytes: number;
  readonly segments: number;
  readonly out: string;
}

interface Result {
  readonly machine: Machine;
  readonly megabytes: number;
  readonly backups: Turn[];
  readonly restores: Turn[];
  /** Segments a second. */
  readonly archived: number[];
  readonly fetched: number[];
}

const NAME = "bench";
const HEALTHY_LIMIT_MS = 60_000;

/** Measures in turns, keeps every figure in a file, and leaves no lab behind. */
export async function benchBackups(wish: BackupBenchWish): Promise<number> {
  const stop = stopSignal({
    say,
    now: "this turn is the last, then its lab is taken down",
    left: () => labLeft(NAME),
  });
  const options = {
    ...USUAL_LAB,
    name: NAME,
    dir: defaultDir(NAME),
    nodes: 1,
    etcd: 1,
    backup: true,
  };
  const result: Result = {
    machine: describeMachine(),
    megabytes: wish.megabytes,
    backups: [],
    restores: [],
    archived: [],
    fetched: [],
  };
  try {
    const lab = await bringUp(options, (step, tookMs) => say(`${step} (${inSeconds(tookMs)})`));
    const works = new BackupWorks(lab);
    await works.fill(wish.megabytes);
    await waitForHealthy(lab, HEALTHY_LIMIT_MS);
    for (let run = 1; run <= wish.runs && !stop.aborted; run++) {
      result.backups.push(told("backup", await works.backup()));
      result.restores.push(told("restore", await works.restore()));
      result.archived.push(told("archived a second", await works.archive(wish.segments)));
      result.fetched.push(told("fetched a second", await works.fetch()));
      mkdirSync(dirname(wish.out), { recursive: true });
      writeFileSync(wish.out, `${JSON.stringify(result, null, 2)}\n`);
    }
  } finally {
    const lab = findLab({ name: NAME });
    if (lab !== undefined) await takeDown(lab);
  }
  console.log(backupTable(result));
  return stop.aborted ? EXIT_INTERRUPTED : 0;
}

function told<T extends Turn | number>(what: string, figure: T): T {
  const words =
    typeof figure === "number"
      ? figure.toFixed(1)
      : `${inSeconds(figure.oursMs)}, theirs ${inSeconds(figure.theirsMs)}`;
  say(`${what}: ${words}`);
  return figure;
}

function backupTable({ machine, megabytes, ...figures }: Result): string {
  const { backups, restores, archived, fetched } = figures;
  return [
    `${megabytes} MB of data, one repository in a directory on the same disk, zstd. ${machine.cores} cores,`,
    `${machine.memoryGb} GB, ${machine.system}, Node ${machine.node}, PostgreSQL ${machine.postgres}.`,
    "",
    "| what | runs | bound | ours: median / worst | the other: median / worst | speed: median / worst |",
    "|---|---|---|---|---|---|",
    pairRow("base backup, beside pg_basebackup", "≥ 0.9", backups),
    pairRow("restore of the files, beside zstd -d \\| tar x", "≥ 0.9", restores),
    rateRow("WAL segments archived a second", "≥ 15", archived),
    rateRow("WAL segments fetched a second by a restore", "≥ 50", fetched),
  ].join("\n");
}

function pairRow(what: string, bound: string, turns: readonly Turn[]): string {
  const times = (of: (turn: Turn) => number) => {
    const all = turns.map(of);
    return `${inSeconds(median(all))} / ${inSeconds(Math.max(...all))}`;
  };
  const speeds = turns.map(({ oursMs, theirsMs }) => theirsMs / oursMs);
  const speed = `${median(speeds).toFixed(2)} / ${Math.min(...speeds).toFixed(2)}`;
  return `| ${what} | ${turns.length} | ${bound} | ${times((t) => t.oursMs)} | ${times((t) => t.theirsMs)} | ${speed} |`;
}

const rateRow = (what: string, bound: string, rates: readonly number[]): string =>
  `| ${what} | ${rates.length} | ${bound} | ${median(rates).toFixed(1)} / ${Math.min(...rates).toFixed(1)} | | |`;
