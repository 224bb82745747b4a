// What do `lab up`, `status`, `down` and `load` do, and what do they print?
import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../model/error.ts";
import { belongings } from "./belongings.ts";
import { takeDown } from "./down.ts";
import { checkOptions, type LabOptions } from "./layout.ts";
import { lengthOf } from "./ledger.ts";
import { Load } from "./load.ts";
import {
  findLab,
  type LabChoice,
  type LabRecord,
  registeredLabs,
  requireLab,
  requireMember,
} from "./record.ts";
import {
  inSeconds,
  labText,
  lostText,
  pauseText,
  rowsText,
  statusText,
  stepLine,
} from "./report.ts";
import { type LabProcess, labStatus } from "./status.ts";
import { bringUp } from "./up.ts";

const CHECK_LIMIT_MS = 60_000;

/** 3: finished, but something is not as it should be. */
export const EXIT_WARNING = 3;

export interface Printing {
  readonly json: boolean;
}

/** Data for programs, in the form that all commands share. */
export const printJson = (kind: string, more: object): void =>
  console.log(
    JSON.stringify({ apiVersion: "v1", kind, asOf: new Date().toISOString(), ...more }, null, 2),
  );

/** Starts a lab, or reports the one that runs under this name. */
export async function up(options: LabOptions, { json }: Printing): Promise<number> {
  const known = findLab({ name: options.name });
  if (known !== undefined) return reportKnown(known, json);
  checkOptions(options);
  const startedAt = performance.now();
  if (!json) console.log(`Starting the lab "${options.name}" in ${options.dir}`);
  const lab = await bringUp(options, (step, tookMs) => {
    if (json) console.error(JSON.stringify({ step, tookMs: Math.round(tookMs) }));
    else console.log(stepLine(step, tookMs));
  });
  const tookMs = performance.now() - startedAt;
  if (json) printJson("Lab", { lab, items: await labStatus(lab), warnings: [] });
  else console.log(`The lab is healthy after ${inSeconds(tookMs)}.\n${labText(lab, isOnly())}`);
  return 0;
}

async function reportKnown(lab: LabRecord, json: boolean): Promise<number> {
  if (belongings(lab).length === 0) {
    const why = `it is registered but none of its processes runs; npx understudy lab down --name ${lab.name}`;
    throw new AppError("LAB_FAILED", `start the lab ${lab.name}`, why);
  }
  const items = await labStatus(lab);
  if (json) printJson("Lab", { lab, items, warnings: [] });
  else {
    console.log(`The lab "${lab.name}" runs already.\n\n${statusText(lab, items)}`);
    console.log(labText(lab, isOnly()));
  }
  return verdict(items);
}

export async function status(choice: LabChoice, { json }: Printing): Promise<number> {
  const lab = requireLab(choice);
  const items = await labStatus(lab);
  if (json) printJson("Lab", { lab, items, warnings: [] });
  else console.log(statusText(lab, items));
  return verdict(items);
}

const verdict = (items: readonly LabProcess[]): number =>
  items.every(({ state }) => state === "running") ? 0 : EXIT_WARNING;

/** Removes a lab; that there is none any more is no failure. */
export async function down(choice: LabChoice, { json }: Printing): Promise<number> {
  const lab = findLab(choice);
  if (lab === undefined) {
    if (json) printJson("LabDown", { removed: null, items: [], warnings: [] });
    else console.log("There is no lab to end.");
    return 0;
  }
  await takeDown(lab);
  if (json) printJson("LabDown", { removed: lab.name, items: [], warnings: [] });
  else console.log(`The lab "${lab.name}" is gone: its processes, addresses and ${lab.dir}`);
  return 0;
}

/** Prints a connection string alone, for `psql "$(…)"`. */
export async function dsn(choice: LabChoice, node: string | undefined): Promise<number> {
  const lab = requireLab(choice);
  console.log(node === undefined ? lab.dsn : requireMember(lab, node).dsn);
  return 0;
}

export interface LoadWish {
  readonly seconds: number;
  readonly workers: number;
  /** Rows per second of each worker. */
  readonly rate: number;
}

/** Writes for a while and tells the longest pause and the fate of every promised row. */
export async function load(choice: LabChoice, wish: LoadWish, { json }: Printing): Promise<number> {
  const lab = requireLab(choice);
  const running = await Load.start(lab, { workers: wish.workers, everyMs: 1000 / wish.rate });
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  for (let left = wish.seconds * 1000; left > 0 && !stop.signal.aborted; left -= 1000) {
    await sleep(Math.min(1000, left), undefined, { signal: stop.signal }).catch(() => undefined);
    if (!json) showProgress(running);
  }
  const pause = running.ledger.longestPause(performance.now(), running.startedAt);
  await running.stop();
  const lost = await running.check(CHECK_LIMIT_MS);
  const { acknowledged, notPromised, failed } = running.ledger;
  const pauseMs = Math.round(lengthOf(pause));
  if (json) {
    printJson("LabLoad", { acknowledged, notPromised, failed, pauseMs, lost, warnings: [] });
  } else {
    console.log(`longest pause of writes ${pauseText(pauseMs)}`);
    console.log(`${rowsText(acknowledged, notPromised)}; ${lostText(lost)}`);
  }
  return lost.length === 0 ? 0 : EXIT_WARNING;
}

function showProgress({ ledger, startedAt }: Load): void {
  const now = performance.now();
  const silent = now - ledger.lastAcknowledgedAt;
  const state = silent > 500 ? `no write for ${inSeconds(silent)}` : "writing";
  const pause = pauseText(lengthOf(ledger.longestPause(now, startedAt)));
  const passed = `${Math.round((now - startedAt) / 1000)} s`.padStart(5);
  console.log(`${passed}  ${state}, ${ledger.acknowledged} rows, longest pause ${pause}`);
}

const isOnly = (): boolean => registeredLabs().length === 1;
