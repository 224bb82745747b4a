// What is one process doing: how much processor has it had, how long has it waited for one, in what state is it?
import { readFileSync } from "node:fs";

export interface ProcessLook {
  /** The kernel's letter: R, S, D (a sleep that nothing interrupts), T (stopped). */
  readonly state: string;
  readonly cpuMs: number;
  /** Time in which it could have run and was not let; undefined where the kernel keeps no such account. */
  readonly starvedMs: number | undefined;
}

/** Linux counts processor time for programs in hundredths of a second, on every platform. */
const TICK_MS = 10;
const NS_PER_MS = 1e6;

/** Undefined when it has ended, or may not be looked at. Two small reads, no waiting. */
export function lookAtProcess(pid: number, root = "/proc"): ProcessLook | undefined {
  try {
    const text = readFileSync(`${root}/${pid}/stat`, "latin1");
    // The name of the program may hold spaces and parentheses: the fields begin after the last one.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const [state = "", user, system] = [fields[0], fields[11], fields[12]];
    const ticks = Number(user) + Number(system);
    if (Number.isNaN(ticks)) return undefined;
    const account = schedulerAccount(pid, root);
    return {
      state,
      cpuMs: account?.ranMs ?? ticks * TICK_MS,
      starvedMs: account?.waitedMs,
    };
  } catch {
    return undefined;
  }
}

/** Nanoseconds on a processor and on its queue; a group's quota counts as the queue. */
function schedulerAccount(pid: number, root: string) {
  try {
    const [ran, waited] = readFileSync(`${root}/${pid}/schedstat`, "latin1").split(" ").map(Number);
    if (ran === undefined || waited === undefined) return undefined;
    return { ranMs: ran / NS_PER_MS, waitedMs: waited / NS_PER_MS };
  } catch {
    return undefined;
  }
}
