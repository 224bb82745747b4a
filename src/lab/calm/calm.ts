// Is nobody woken while nothing is wrong? A lab is watched idle and at work, and every word of trouble is a false alarm.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../../model/error.ts";
import type { Ms } from "../../model/time.ts";
import { EXIT_WARNING, type Printing, printJson } from "../commands.ts";
import { takeDown } from "../down.ts";
import { checkOptions, defaultDir, USUAL_LAB } from "../layout.ts";
import { postgresBinDir } from "../programs.ts";
import type { LabRecord } from "../record.ts";
import { stepLine } from "../report.ts";
import { EXIT_INTERRUPTED, labLeft, stopSignal } from "../stopping.ts";
import { bringUp } from "../up.ts";
import { type Alarm, doctorFindings, lookForAlarms } from "./look.ts";

export interface CalmWish {
  readonly minutes: number;
  readonly name: string;
  /** Connections of pgbench, and transactions a second of all of them together; 0: as many as they can. */
  readonly clients: number;
  readonly rate: number;
}

export interface Phase {
  readonly name: "idle" | "busy";
  readonly seconds: number;
  readonly looks: number;
  /** Each with the second in which it was first heard, and in how many looks. */
  readonly alarms: readonly (Alarm & { readonly at: number; readonly times: number })[];
}

const EVERY_MS: Ms = 2_000;
/** Rows of pgbench's largest table, in hundred thousands. */
const SCALE = 10;

/** Exit 3 when anything was heard. */
export async function calm(wish: CalmWish, { json }: Printing): Promise<number> {
  const say = (text: string): void => console.error(text);
  const stop = stopSignal({
    say,
    now: "this look is the last, then the lab is taken down",
    left: () => labLeft(wish.name),
  });
  const options = { ...USUAL_LAB, name: wish.name, dir: defaultDir(wish.name) };
  checkOptions(options);
  const lab = await bringUp(options, (step, took) => say(stepLine(step, took)));
  try {
    const known = await doctorFindings(lab);
    const watch = { lab, known, forMs: wish.minutes * 60_000, everyMs: EVERY_MS, stop, say };
    const idle = await watchPhase("idle", watch);
    const phases = stop.aborted ? [idle] : [idle, await atWork(wish, watch)];
    if (json) printJson("LabCalm", { phases, known, warnings: [] });
    else console.log(phases.map(phaseText).join("\n"));
    if (stop.aborted) return EXIT_INTERRUPTED;
    return phases.every(({ alarms }) => alarms.length === 0) ? 0 : EXIT_WARNING;
  } finally {
    await takeDown(lab);
  }
}

export interface Watch {
  readonly lab: LabRecord;
  /** What the doctor had found before: a lab on one machine has weaknesses of its own. */
  readonly known: readonly Alarm[];
  readonly forMs: Ms;
  readonly everyMs: Ms;
  readonly stop: AbortSignal;
  readonly say: (text: string) => void;
}

async function atWork(wish: CalmWish, watch: Watch): Promise<Phase> {
  const load = beginLoad(watch.lab, wish);
  try {
    return await watchPhase("busy", watch);
  } finally {
    load.kill("SIGKILL");
  }
}

/** Looks again and again, and has the doctor look at the end. */
export async function watchPhase(name: Phase["name"], watch: Watch): Promise<Phase> {
  const { lab, known, forMs, everyMs, stop, say } = watch;
  const begun = performance.now();
  const heard = new Map<string, Phase["alarms"][number]>();
  const note = (alarm: Alarm): void => {
    const key = `${alarm.by} ${alarm.words.replaceAll(/[\d.]+/g, "#")}`;
    const at = Math.round((performance.now() - begun) / 1_000);
    const before = heard.get(key);
    if (before === undefined) say(`${name}, second ${at}: ${alarm.by}: ${alarm.words}`);
    heard.set(key, { ...(before ?? { ...alarm, at }), times: (before?.times ?? 0) + 1 });
  };
  let looks = 0;
  do {
    const alarms = await lookForAlarms(lab);
    // What ended with the same Ctrl-C is no alarm.
    if (stop.aborted) break;
    for (const alarm of alarms) note(alarm);
    looks += 1;
    await sleep(everyMs, undefined, { signal: stop }).catch(() => undefined);
  } while (performance.now() - begun < forMs && !stop.aborted);
  const before = new Set(known.map(idOf));
  const found = stop.aborted ? [] : await doctorFindings(lab);
  for (const alarm of found) if (!before.has(idOf(alarm))) note(alarm);
  const seconds = Math.round((performance.now() - begun) / 1_000);
  return { name, seconds, looks, alarms: [...heard.values()] };
}

/** The doctor's word begins with the id of its check. */
const idOf = ({ words }: Alarm): string => words.split(" ")[0] ?? "";

const phaseText = ({ name, seconds, looks, alarms }: Phase): string =>
  [
    `${name}: ${looks} looks in ${seconds} s, ${alarms.length === 0 ? "no alarm" : `${alarms.length} false alarms`}`,
    ...alarms.map(({ by, words, at, times }) => `  second ${at}, ${times} times, ${by}: ${words}`),
  ].join("\n");

/** pgbench's own transaction, read and write, until it is ended. */
function beginLoad(lab: LabRecord, { clients, rate }: CalmWish): ChildProcess {
  const pgbench = join(postgresBinDir(), "pgbench");
  const filled = spawnSync(pgbench, ["-i", "-s", String(SCALE), "-q", lab.dsn], {
    encoding: "utf8",
  });
  if (filled.status !== 0) throw new AppError("LAB_FAILED", "fill pgbench's tables", filled.stderr);
  const limited = rate === 0 ? [] : ["-R", String(rate)];
  const args = ["-n", "-c", String(clients), "-j", "2", "-T", "86400", ...limited, lab.dsn];
  return spawn(pgbench, args, { stdio: "ignore" });
}
