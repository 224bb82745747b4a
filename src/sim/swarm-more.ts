// Faults that have dice of their own, so that a schedule without them is what it has always been.
import type { Fault } from "../scenario/verbs.ts";
import type { Dice } from "./dice.ts";

export interface MoreFaults {
  readonly names: readonly string[];
  readonly isSynchronous: boolean;
  /** Between these two they begin. */
  readonly fromMs: number;
  readonly untilMs: number;
}

const PARTED_SHARE = 0.35;
const CANCELLING_SHARE = 0.5;

/** A room that falls into two parts; waits for a standby that somebody cancels. */
export function moreFaults(d: Dice, options: MoreFaults): readonly Fault[] {
  const { names, isSynchronous, fromMs, untilMs } = options;
  const atMs = (): number => Math.round(d.between(fromMs, untilMs));
  const faults: Fault[] = [];
  if (d.chance(PARTED_SHARE)) {
    const forMs = Math.round(d.pick([d.between(500, 8_000), d.between(5_000, 60_000)]));
    faults.push({ atMs: atMs(), forMs, verb: { do: "partition", nodes: oneSide(d, names) } });
  }
  if (isSynchronous && d.chance(CANCELLING_SHARE)) {
    const everyMs = Math.round(d.between(5, 1_000));
    const forMs = Math.round(d.between(1_000, 60_000));
    faults.push({ atMs: atMs(), forMs, verb: { do: "cancelWaits", node: "primary", everyMs } });
  }
  return faults;
}

/** At least one, and never all. */
function oneSide(d: Dice, names: readonly string[]): readonly string[] {
  const left = [...names];
  const side: string[] = [];
  const size = 1 + d.integer(names.length - 1);
  while (side.length < size) {
    const [name] = left.splice(d.integer(left.length), 1);
    if (name !== undefined) side.push(name);
  }
  return side.toSorted();
}
