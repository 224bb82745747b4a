// Faults that have dice of their own, so that a schedule without them is what it has always been.
import type { Fault, Verb } from "../scenario/verbs.ts";
import type { Dice } from "./dice.ts";

export interface MoreFaults {
  readonly names: readonly string[];
  readonly isSynchronous: boolean;
  readonly hasReader: boolean;
  /** Between these two they begin. */
  readonly fromMs: number;
  readonly untilMs: number;
}

const PARTED_SHARE = 0.35;
const CANCELLING_SHARE = 0.5;
const MAINTENANCE_SHARE = 0.4;

/** A room in two parts; cancelled waits for a standby; maintenance in a pause; a reader that falls behind. */
export function moreFaults(d: Dice, options: MoreFaults): readonly Fault[] {
  const { names, isSynchronous, hasReader, fromMs, untilMs } = options;
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
  if (d.chance(MAINTENANCE_SHARE)) faults.push(...maintenance(d, names, atMs()));
  if (hasReader) {
    const forMs = Math.round(d.between(5_000, 200_000));
    faults.push({ atMs: atMs(), forMs, verb: { do: "stopReader" } });
  }
  return faults;
}

/** Paused, something is taken away from the primary, and the end of the pause comes before, while or after it is back. */
function maintenance(d: Dice, names: readonly string[], atMs: number): readonly Fault[] {
  const node = "primary";
  const later = (most: number): number => Math.round(atMs + d.between(100, most));
  const away = d.pick<Verb>([
    { do: "killAgent", node },
    { do: "killAgent", node },
    { do: "stopAgent", node },
    { do: "stopCleanly", node },
    { do: "cutFromStore", node },
    { do: "storeDown" },
    { do: "killHost", node },
    { do: "switchover" },
  ]);
  const ends = d.chance(0.3) ? { endsInMs: Math.round(d.between(2_000, 60_000)) } : {};
  return [
    { atMs, verb: { do: "pause", ...ends } },
    { atMs: later(15_000), forMs: Math.round(d.between(500, 70_000)), verb: away },
    { atMs: later(60_000), verb: { do: "resume" } },
    { atMs: later(90_000), verb: { do: "confirmDown", node: d.pick(names) } },
  ];
}

const READ_SHARE = 0.2;

/** A share of the clusters has a logical slot that somebody reads; standbys keep copies of it. */
export const readerOf = (d: Dice): Readonly<Record<string, unknown>> =>
  d.chance(READ_SHARE)
    ? { slots: { cdc: { type: "logical", database: "postgres", plugin: "pgoutput" } } }
    : {};

/** Most keep the default; some close their gate later, some never, as where Patroni's agents came from. */
const ISOLATION_S = [undefined, undefined, undefined, undefined, undefined, undefined, 10, 0, 0, 0];

/** How long a primary that hears nobody goes on: a setting of its own, because a holder looks as often as it asks. */
export function isolationOf(d: Dice): Readonly<Record<string, unknown>> {
  const seconds = ISOLATION_S[d.integer(ISOLATION_S.length)];
  return seconds === undefined ? {} : { isolation_timeout: seconds };
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
