// What can a soak do to a cluster? A list of troubles made of the stories' own verbs, and dice that choose.
import type { Target, Verb, VerbName } from "../../scenario/verbs.ts";
import { NEEDS_DISK, NEEDS_NAMESPACES } from "../play.ts";
import type { LabRecord } from "../record.ts";
import type { MayLose } from "./loss.ts";

export interface Trouble {
  /** What the report calls it: the verb, or a name for several that are played together. */
  readonly kind: string;
  readonly verbs: (node: Target) => readonly Verb[];
  /** `primary`, or now and then a standby as well. */
  readonly on: "primary" | "anybody" | "standby";
  /** How long it lasts, at least and at most, in ttls. */
  readonly lasts: readonly [least: number, most: number];
  /** What may be lost by it with asynchronous replication. */
  readonly mayLose: MayLose;
  /** Another member takes over when it hits the primary and lasts. */
  readonly failsOver?: true;
}

/** One trouble as the dice have thrown it. */
export interface Round {
  readonly trouble: Trouble;
  readonly target: Target;
  /** How long it lasts, in ttls; at most so long when it is over with the failover. */
  readonly forTtls: number;
  readonly isOverWithFailover: boolean;
}

/** Long enough for a failover, or too short for one. */
const LONG = [1.2, 3] as const;
const ANY_LENGTH = [0.1, 2.5] as const;
const OVER_AT_ONCE = [0.3, 0.6] as const;

type Shape = Pick<Trouble, "on" | "lasts" | "mayLose" | "failsOver">;

/** Hits the primary, and another member takes over. */
const failsOver = true;

/** A trouble of one verb that names a node. */
const one = (name: OneNodeVerb, shape: Shape): Trouble => ({
  kind: name,
  verbs: (node) => [{ do: name, node } as Verb],
  ...shape,
});

/** Verbs that say nothing but whom they hit. */
type OneNodeVerb = {
  [N in VerbName]: { do: N; node: Target } extends Extract<Verb, { do: N }> ? N : never;
}[VerbName];

export const TROUBLES: readonly Trouble[] = [
  one("killPostmaster", { on: "anybody", lasts: OVER_AT_ONCE, mayLose: "nothing", failsOver }),
  one("killHost", { on: "anybody", lasts: LONG, mayLose: "in flight", failsOver }),
  one("killAgent", { on: "anybody", lasts: ANY_LENGTH, mayLose: "in flight", failsOver }),
  one("stopAgent", { on: "anybody", lasts: ANY_LENGTH, mayLose: "in flight", failsOver }),
  one("killFence", { on: "anybody", lasts: OVER_AT_ONCE, mayLose: "in flight", failsOver }),
  one("stopFence", { on: "primary", lasts: LONG, mayLose: "in flight", failsOver }),
  one("hangServer", { on: "primary", lasts: LONG, mayLose: "in flight", failsOver }),
  one("stopServer", { on: "anybody", lasts: ANY_LENGTH, mayLose: "in flight", failsOver }),
  one("stopCleanly", { on: "anybody", lasts: LONG, mayLose: "nothing", failsOver }),
  one("restart", { on: "anybody", lasts: OVER_AT_ONCE, mayLose: "nothing" }),
  one("reinit", { on: "standby", lasts: OVER_AT_ONCE, mayLose: "nothing" }),
  one("fillDisk", { on: "primary", lasts: LONG, mayLose: "in flight", failsOver }),
  {
    kind: "slowDisk",
    verbs: (node) => [{ do: "slowDisk", node, slowMs: 100 }],
    on: "anybody",
    lasts: LONG,
    mayLose: "in flight",
  },
  one("isolate", { on: "anybody", lasts: ANY_LENGTH, mayLose: "since the fault", failsOver }),
  one("cutFromStore", { on: "anybody", lasts: ANY_LENGTH, mayLose: "in flight" }),
  one("cutFromPeers", { on: "anybody", lasts: ANY_LENGTH, mayLose: "since the fault" }),
  one("cutFromClients", { on: "primary", lasts: ANY_LENGTH, mayLose: "nothing" }),
  {
    kind: "cutOneWay",
    verbs: (from) => [{ do: "cutOneWay", from, to: "standby" }],
    on: "primary",
    lasts: ANY_LENGTH,
    mayLose: "since the fault",
  },
  {
    // Its clients still reach it, and so do they the others.
    kind: "partition",
    verbs: (node) => [{ do: "partition", nodes: [node] }],
    on: "primary",
    lasts: ANY_LENGTH,
    mayLose: "since the fault",
    failsOver,
  },
  {
    kind: "silentHostDeath",
    verbs: (node) => [
      { do: "isolate", node },
      { do: "killHost", node },
    ],
    on: "primary",
    lasts: LONG,
    mayLose: "since the fault",
    failsOver,
  },
  {
    kind: "killAgentAndFence",
    verbs: (node) => [
      { do: "killAgent", node },
      { do: "killFence", node },
    ],
    on: "primary",
    lasts: LONG,
    mayLose: "in flight",
    failsOver,
  },
  {
    // Two of three hosts: the one that is left knows whether it has everything, and else waits for them.
    kind: "killHostAndStandby",
    verbs: (node) => [
      { do: "killHost", node: "standby" },
      { do: "killHost", node },
    ],
    on: "primary",
    lasts: LONG,
    mayLose: "since the fault",
  },
  {
    kind: "switchover",
    verbs: () => [{ do: "switchover" }],
    on: "primary",
    lasts: OVER_AT_ONCE,
    mayLose: "nothing",
    failsOver,
  },
  {
    kind: "storeDown",
    verbs: () => [{ do: "storeDown" }],
    on: "primary",
    lasts: ANY_LENGTH,
    mayLose: "in flight",
  },
  {
    kind: "storeLeaderKill",
    verbs: () => [{ do: "storeLeaderKill" }],
    on: "primary",
    lasts: ANY_LENGTH,
    mayLose: "in flight",
  },
];

/** Can it be played in this lab? Some need hosts of their own, or disks. */
export const canSuffer = (lab: LabRecord, { verbs }: Trouble): boolean =>
  verbs("primary").every(
    ({ do: verb }) =>
      (lab.net === "namespaces" || !NEEDS_NAMESPACES.has(verb)) &&
      (lab.diskMegabytes !== undefined || !NEEDS_DISK.has(verb)) &&
      (lab.diskKind === "file" || verb !== "slowDisk"),
  );

/** The rounds of a seed, without end: the same seed and list give the same rounds. */
export function* roundsOf(seed: number, troubles: readonly Trouble[]): Generator<Round, never> {
  const throwDice = diceOf(seed);
  const pick = <T>(items: readonly [T, ...T[]]): T =>
    items[Math.floor(throwDice() * items.length)] ?? items[0];
  const [first, ...others] = troubles;
  if (first === undefined) throw new RangeError("there is nothing to choose from");
  for (;;) {
    const trouble = pick([first, ...others]);
    const [least, most] = trouble.lasts;
    // All three throws happen in each round, so that a changed list changes as little as it can.
    const target = pick(["primary", "primary", "primary", "standby", "other"]);
    const forTtls = least + (most - least) * throwDice();
    yield { trouble, target: targetOf(trouble, target), forTtls, isOverWithFailover: false };
  }
}

/** How often a kind was played, and how many failovers it has caused. */
export interface Count {
  readonly rounds: number;
  readonly failovers: number;
}

/**
 * Rounds that each lead to a failover, the kind that was played least often first, until every kind has caused `wanted`
 * of them. Each is over as soon as somebody else leads.
 */
export function* failoversOf(
  troubles: readonly Trouble[],
  wanted: number,
  soFar: (kind: string) => Count,
): Generator<Round, undefined> {
  const causes = troubles.filter((trouble) => trouble.failsOver === true);
  for (;;) {
    const counted = causes.map((trouble) => ({ trouble, ...soFar(trouble.kind) }));
    const wanting = counted.filter(({ failovers }) => failovers < wanted);
    const [next] = wanting.toSorted((a, b) => a.rounds - b.rounds);
    if (next === undefined) return undefined;
    const forTtls = next.trouble.lasts[1];
    yield { trouble: next.trouble, target: "primary", forTtls, isOverWithFailover: true };
  }
}

function targetOf({ on }: Trouble, thrown: string): Target {
  if (on === "anybody") return thrown;
  return on === "standby" && thrown === "other" ? thrown : on;
}

/** mulberry32: small, and the same on every machine. Answers real numbers in [0, 1). */
function diceOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
