// What does `lab load` do, and what does it print? One load for each path to the primary, side by side.
import { setTimeout as sleep } from "node:timers/promises";
import { EXIT_WARNING, type Printing, printJson } from "./commands.ts";
import { type LostRow, lengthOf } from "./ledger.ts";
import { Load } from "./load.ts";
import { type LabChoice, requireLab } from "./record.ts";
import { inSeconds, lostText, pauseText, rowsText } from "./report.ts";
import { PATHS, type PathName, pathOf } from "./routers.ts";
import { stopSignal } from "./stopping.ts";

const CHECK_LIMIT_MS = 60_000;
const SILENT_MS = 500;

export interface LoadWish {
  readonly seconds: number;
  readonly workers: number;
  /** Rows per second of each worker. */
  readonly rate: number;
  readonly path: PathName | "all";
}

interface Told {
  readonly path: PathName;
  readonly acknowledged: number;
  readonly notPromised: number;
  readonly failed: number;
  readonly pauseMs: number;
  readonly lost: readonly LostRow[];
}

interface Running {
  readonly path: PathName;
  readonly load: Load;
}

/** Writes for a while and tells the longest pause and the fate of every promised row, for each path. */
export async function load(choice: LabChoice, wish: LoadWish, { json }: Printing): Promise<number> {
  const lab = requireLab(choice);
  const names = wish.path === "all" ? PATHS : [wish.path];
  const paths = names.map((name) => pathOf(lab, name));
  const options = { workers: wish.workers, everyMs: 1000 / wish.rate };
  const running: Running[] = [];
  for (const [at, path] of paths.entries()) {
    running.push({
      path: names[at] ?? "direct",
      load: await Load.start(lab, { ...options, path }),
    });
  }
  const stop = stopSignal({
    say: (text) => console.error(text),
    now: "no more is written, and every promised row is looked up",
    left: () => "rows that nobody has looked up, in a lab that runs on",
  });
  const startedAt = performance.now();
  for (let left = wish.seconds * 1000; left > 0 && !stop.aborted; left -= 1000) {
    await sleep(Math.min(1000, left), undefined, { signal: stop }).catch(() => undefined);
    if (!json) showProgress(running, startedAt);
  }
  const items = await Promise.all(running.map(finish));
  if (json) printJson("LabLoad", { ...items[0], items, warnings: [] });
  else console.log(items.map((told) => toldText(told, items.length > 1)).join("\n"));
  return items.every(({ lost }) => lost.length === 0) ? 0 : EXIT_WARNING;
}

async function finish({ path, load: running }: Running): Promise<Told> {
  const pause = running.ledger.longestPause(performance.now(), running.startedAt);
  await running.stop();
  const lost = await running.check(CHECK_LIMIT_MS);
  const { acknowledged, notPromised, failed } = running.ledger;
  return { path, acknowledged, notPromised, failed, pauseMs: Math.round(lengthOf(pause)), lost };
}

function showProgress(running: readonly Running[], startedAt: number): void {
  const now = performance.now();
  const passed = `${Math.round((now - startedAt) / 1000)} s`.padStart(5);
  const isAlone = running.length === 1;
  const texts = running.map(({ path, load: { ledger, startedAt: since } }) => {
    const silent = now - ledger.lastAcknowledgedAt;
    const state = silent > SILENT_MS ? `no write for ${inSeconds(silent)}` : "writing";
    const pause = pauseText(lengthOf(ledger.longestPause(now, since)));
    return isAlone
      ? `${state}, ${ledger.acknowledged} rows, longest pause ${pause}`
      : `${path} ${state}, ${ledger.failed} errors`;
  });
  console.log(`${passed}  ${texts.join("   ")}`);
}

function toldText(told: Told, isOneOfMany: boolean): string {
  const { path, pauseMs, acknowledged, notPromised, failed, lost } = told;
  const rows = `${rowsText(acknowledged, notPromised)}; ${lostText(lost)}`;
  if (!isOneOfMany) return `longest pause of writes ${pauseText(pauseMs)}\n${rows}`;
  return `${path.padEnd(9)} longest pause ${pauseText(pauseMs)}, ${failed} failed attempts; ${rows}`;
}
