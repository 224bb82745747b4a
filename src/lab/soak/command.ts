// `lab soak`: a lab of its own, faults from a seed for so many minutes, and a verdict.
import { existsSync } from "node:fs";
import { EXIT_WARNING, type Printing, printJson } from "../commands.ts";
import { takeDown } from "../down.ts";
import { checkOptions, defaultDir, type LabOptions, USUAL_LAB } from "../layout.ts";
import { stepLine } from "../report.ts";
import { labLeft, stopSignal } from "../stopping.ts";
import { bringUp } from "../up.ts";
import { Book, countOf } from "./book.ts";
import type { Mode } from "./loss.ts";
import { brokenIn, roundText, soakText } from "./report.ts";
import { type RoundReport, soak } from "./soak.ts";

export interface SoakOptions {
  readonly name: string;
  readonly minutes: number;
  readonly seed: number;
  /** One after the other, each on a lab of its own and with its share of the minutes. */
  readonly modes: readonly Mode[];
  readonly nodes: number;
  readonly ttlSeconds: number;
  readonly only: readonly string[];
  readonly set: Readonly<Record<string, string>>;
  /** Only faults that lead to a failover, until there are so many of each kind in each mode. */
  readonly failovers: number | undefined;
  /** A file for the rounds of several runs, which count together. */
  readonly book: string | undefined;
}

/** Disks of their own, so that one can be full; WAL must fit into them many times. */
const DISK_MEGABYTES = 1_024;
const SMALL_WAL = { max_wal_size: "128MB" };

/** Exit 3 when a promise was broken; the lab's directory then stays, for the logs, and no further mode is played. */
export async function soakCommand(options: SoakOptions, { json }: Printing): Promise<number> {
  const say = (text: string): void => (json ? console.error(text) : console.log(text));
  for (const mode of options.modes) checkOptions(labOptions(options, mode));
  const book = new Book(options.book);
  // Whoever stops a soak gets the verdict over what was played, and no lab stays behind.
  const stop = stopSignal({
    say,
    now: "this round is the last, then its lab is taken down",
    left: () => labLeft(options.name),
  });
  const brokenAtEnd: string[] = [];
  for (const mode of options.modes) {
    const own = brokenIn(book.rounds()).length + brokenAtEnd.length;
    if (stop.aborted || own > 0) break;
    brokenAtEnd.push(...(await soakIn(mode, { options, book, stop, say })));
  }
  const rounds = book.rounds();
  const broken = [...brokenIn(rounds), ...brokenAtEnd];
  const again = againText(options);
  if (json) printJson("LabSoak", { rounds, broken, again, warnings: [] });
  else console.log(soakText({ rounds, broken, wanted: options.failovers }, again));
  return broken.length === 0 ? 0 : EXIT_WARNING;
}

interface Running {
  readonly options: SoakOptions;
  readonly book: Book;
  readonly stop: AbortSignal;
  readonly say: (text: string) => void;
}

/** One mode on a lab of its own; answers what was broken at its very end. */
async function soakIn(mode: Mode, { options, book, stop, say }: Running) {
  const { minutes, seed, modes, failovers: wanted } = options;
  say(`soak of ${minutes / modes.length} minutes, seed ${seed}, synchronous_mode ${mode}`);
  const lab = await bringUp(labOptions(options, mode), (step, took) => say(stepLine(step, took)));
  let isHeld = false;
  try {
    const overAt = performance.now() + (minutes / modes.length) * 60_000;
    const isOver = (): boolean => stop.aborted || performance.now() >= overAt;
    const soFar = (kind: string) => countOf(book.rounds(), { mode, kind });
    const failovers = wanted === undefined ? undefined : { wanted, soFar };
    let number = 0;
    const tell = (round: RoundReport): void => {
      book.add(round);
      say(roundText(++number, round));
    };
    const report = await soak(lab, { ...options, mode, isOver, failovers }, tell);
    isHeld = brokenIn(report.rounds).length + report.brokenAtEnd.length === 0;
    const disks = lab.diskMegabytes === undefined ? "" : ", its disks mounted (umount n1, n2 …)";
    if (!isHeld) say(`The logs stay in ${lab.dir}${disks}`);
    return report.brokenAtEnd;
  } finally {
    await takeDown(lab, { keepDirectory: !isHeld });
  }
}

/** As root every node is a host with a network and a disk; others play what loopback can. */
function labOptions({ name, nodes, ttlSeconds, set }: SoakOptions, mode: Mode): LabOptions {
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

function againText(options: SoakOptions): string {
  const { minutes, seed, modes, nodes, ttlSeconds, only, set, failovers, book } = options;
  const settings = Object.entries(set).map(([key, value]) => ` --set ${key}=${value}`);
  return [
    `npx understudy lab soak --minutes ${minutes} --seed ${seed} --mode ${modes.join(",")}`,
    failovers === undefined ? "" : ` --failovers ${failovers}`,
    book === undefined ? "" : ` --book ${book}`,
    nodes === USUAL_LAB.nodes ? "" : ` --nodes ${nodes}`,
    ttlSeconds === USUAL_LAB.ttlSeconds ? "" : ` --ttl ${ttlSeconds}`,
    only.length === 0 ? "" : ` --only ${only.join(",")}`,
    ...settings,
  ].join("");
}
