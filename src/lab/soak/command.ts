// `lab soak`: a lab of its own, faults from a seed for so many minutes, and a verdict.
import { existsSync } from "node:fs";
import { EXIT_WARNING, type Printing, printJson } from "../commands.ts";
import { takeDown } from "../down.ts";
import { checkOptions, defaultDir, type LabOptions, USUAL_LAB } from "../layout.ts";
import { stepLine } from "../report.ts";
import { bringUp } from "../up.ts";
import type { Mode } from "./loss.ts";
import { brokenIn, roundText, soakText } from "./report.ts";
import { type RoundReport, soak } from "./soak.ts";

export interface SoakOptions {
  readonly name: string;
  readonly minutes: number;
  readonly seed: number;
  readonly mode: Mode;
  readonly nodes: number;
  readonly ttlSeconds: number;
  readonly only: readonly string[];
  readonly set: Readonly<Record<string, string>>;
}

/** Disks of their own, so that one can be full; WAL must fit into them many times. */
const DISK_MEGABYTES = 1_024;
const SMALL_WAL = { max_wal_size: "128MB" };

/** Exit 3 when a promise was broken; the lab's directory then stays, for the logs. */
export async function soakCommand(options: SoakOptions, { json }: Printing): Promise<number> {
  const say = (text: string): void => (json ? console.error(text) : console.log(text));
  const chosen = labOptions(options);
  checkOptions(chosen);
  say(`soak of ${options.minutes} minutes, seed ${options.seed}, synchronous_mode ${options.mode}`);
  const lab = await bringUp(chosen, (step, tookMs) => say(stepLine(step, tookMs)));
  let isHeld = false;
  try {
    const overAt = performance.now() + options.minutes * 60_000;
    const stop = stopped(say);
    const isOver = (): boolean => stop.aborted || performance.now() >= overAt;
    let number = 0;
    const tell = (round: RoundReport): void => say(roundText(++number, round));
    const report = await soak(lab, { ...options, isOver }, tell);
    const broken = brokenIn(report);
    isHeld = broken.length === 0;
    const again = againText(options);
    if (json) printJson("LabSoak", { ...report, broken, again, warnings: [] });
    else console.log(soakText(report, again));
    if (!isHeld) say(`The logs stay in ${lab.dir}`);
    return isHeld ? 0 : EXIT_WARNING;
  } finally {
    await takeDown(lab, { keepDirectory: !isHeld });
  }
}

/** Whoever stops a soak gets the verdict over what was played, and no lab stays behind. */
function stopped(say: (text: string) => void): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      say(`${signal}: this round is the last`);
      stop.abort();
    });
  }
  return stop.signal;
}

/** As root every node is a host with a network and a disk; others play what loopback can. */
function labOptions({ name, nodes, ttlSeconds, mode, set }: SoakOptions): LabOptions {
  const isRoot = process.getuid?.() === 0;
  return {
    ...USUAL_LAB,
    name,
    dir: defaultDir(name),
    nodes,
    ttlSeconds,
    net: isRoot ? "namespaces" : "loopback",
    diskMegabytes: isRoot ? DISK_MEGABYTES : undefined,
    // Containers often have no loop devices: then disks can be full, but not slow.
    diskKind: existsSync("/dev/loop-control") ? "file" : "memory",
    set: { ...SMALL_WAL, ...(mode === "off" ? {} : { synchronous_mode: mode }), ...set },
  };
}

function againText({ minutes, seed, mode, nodes, ttlSeconds, only, set }: SoakOptions): string {
  const settings = Object.entries(set).map(([key, value]) => ` --set ${key}=${value}`);
  return [
    `npx understudy lab soak --minutes ${minutes} --seed ${seed} --mode ${mode}`,
    nodes === USUAL_LAB.nodes ? "" : ` --nodes ${nodes}`,
    ttlSeconds === USUAL_LAB.ttlSeconds ? "" : ` --ttl ${ttlSeconds}`,
    only.length === 0 ? "" : ` --only ${only.join(",")}`,
    ...settings,
  ].join("");
}
