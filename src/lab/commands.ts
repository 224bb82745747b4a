// What do `lab up`, `status` and `down` do, and what do they print?
import { AppError } from "../model/error.ts";
import { belongings } from "./belongings.ts";
import { takeDown } from "./down.ts";
import { checkOptions, type LabOptions } from "./layout.ts";
import { findLab, type LabChoice, type LabRecord, registeredLabs, requireLab } from "./record.ts";
import { inSeconds, labText, statusText, stepLine } from "./report.ts";
import { type LabProcess, labStatus } from "./status.ts";
import { labLeft, stopSignal } from "./stopping.ts";
import { bringUp } from "./up.ts";

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
  const stop = stopSignal({
    say: (text) => console.error(text),
    now: "this step is the last, then what was made is taken down",
    left: () => labLeft(options.name),
  });
  if (!json) console.log(`Starting the lab "${options.name}" in ${options.dir}`);
  const lab = await bringUp(options, (step, tookMs) => {
    if (json) console.error(JSON.stringify({ step, tookMs: Math.round(tookMs) }));
    else console.log(stepLine(step, tookMs));
    if (stop.aborted)
      throw new AppError("CANCELLED", `start the lab ${options.name}`, "by a signal");
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

/** Prints a connection string alone, for `psql "$(…)"`: of a node, or of a way in through the first router. */
export async function dsn(choice: LabChoice, name: string | undefined): Promise<number> {
  const lab = requireLab(choice);
  console.log(name === undefined ? lab.dsn : dsnOf(lab, name));
  return 0;
}

function dsnOf(lab: LabRecord, name: string): string {
  const doors = doorsOf(lab);
  const dsns = { ...Object.fromEntries(lab.members.map((m) => [m.name, m.dsn])), ...doors };
  const found = dsns[name];
  if (found !== undefined) return found;
  const isDoor = Object.keys(doors).length === 0 && DOORS.includes(name);
  const why = isDoor
    ? "the lab has no router; start one with --routers 1"
    : `there are ${Object.keys(dsns).join(", ")}`;
  throw new AppError("LAB_NOT_FOUND", `find the connection string of ${name}`, why);
}

const DOORS = ["app", "app_ro", "app_report", "write", "read", "report"];

/** The pooler's databases and the balancer's routes, by the names that people know them by. */
function doorsOf({ routers: [first] }: LabRecord): Readonly<Record<string, string>> {
  if (first === undefined) return {};
  const { pooled, balanced } = first;
  return { app: pooled.write, app_ro: pooled.read, app_report: pooled.report, ...balanced };
}

const isOnly = (): boolean => registeredLabs().length === 1;
