// One seed is one schedule: a cluster, its weather, its faults. The same seed gives the same schedule for ever.
import type { Fault, FaultKind, Verb, VerbName } from "../scenario/verbs.ts";
import { kindOf } from "../scenario/verbs.ts";
import { CALM_MS } from "./checkers/alive.ts";
import type { Flaws, NodeSpec } from "./cluster.ts";
import { type Dice, dice } from "./dice.ts";
import type { NodeFactory } from "./node-factory.ts";
import type { Story } from "./story.ts";
import { type Scene, surroundingsOf } from "./swarm-around.ts";
import { isolationOf, moreFaults, readerOf } from "./swarm-more.ts";

export interface SwarmOptions {
  readonly factory: NodeFactory;
  readonly flaws: Flaws;
  /** Only these verbs: a hunt for one kind of bug. */
  readonly only?: readonly VerbName[] | undefined;
  /** Settings of the cluster that are not left to the dice. */
  readonly config?: Readonly<Record<string, unknown>> | undefined;
  /** These faults instead of the dice's. */
  readonly faults?: readonly Fault[] | undefined;
  readonly nodes?: number | undefined;
  /** Quick servers on a quick network: bugs of milliseconds show sooner. */
  readonly quick?: boolean | undefined;
  /** Every schedule has another site, or routers. */
  readonly scene?: Scene | undefined;
  /** Only these rules are judged. */
  readonly judges?: readonly string[] | undefined;
  /** One more host, whose agent bears the first one's name. */
  readonly twin?: boolean | undefined;
}

/** The cluster gets this long to come up before the first fault. */
const READY_MS = 25_000;
/** Ten simulated minutes, then everything is healed. */
const HEAL_AT_MS = 600_000;
/** The most that a healed cluster gets to be whole and calm again. */
const LIVENESS_MS = 150_000;
/** Between these two faults begin. */
const FAULTS_BEGIN = { fromMs: READY_MS, untilMs: HEAL_AT_MS - 20_000 } as const;
/** Too short for a slow promotion, which is given up then. */
const SHORT_START_TIMEOUT_S = 12;
/** The least: nobody is called calm sooner. */
const LEAST_LIVENESS_MS = CALM_MS + 5_000;
/** Some schedules last to the very end: what comes back to life must stay alive. */
const LONG_SHARE = 0.2;
const LEAST_FAULTS = 6;
const LEAST_KINDS = 3;

/**
 * What the field uses, our default, the shortest that is accepted, and between them. A short rhythm costs three times the
 * events of a long one for as many faults, so half of the schedules have the long one: more faults in the same time.
 */
const TIMINGS = [
  ...Array.from({ length: 6 }, () => ({ ttl: 30, loop_wait: 10, retry_timeout: 10 })),
  { ttl: 20, loop_wait: 5, retry_timeout: 5 },
  { ttl: 10, loop_wait: 4, retry_timeout: 3 },
  { ttl: 10, loop_wait: 4, retry_timeout: 3 },
  { ttl: 10, loop_wait: 2, retry_timeout: 3 },
  { ttl: 10, loop_wait: 2, retry_timeout: 3 },
  { ttl: 5, loop_wait: 1, retry_timeout: 2 },
] as const;

/** The schedule of a seed. */
export function storyOf(seed: number, options: SwarmOptions): Story {
  const d = dice(seed).fork("swarm");
  const nodes = nodesOf(d, options);
  const names = nodes.map((n) => n.name);
  const timing = d.pick(TIMINGS);
  const more = {
    ...syncOf(dice(seed).fork("sync")),
    ...readerOf(dice(seed).fork("reader")),
    ...isolationOf(dice(seed).fork("isolation")),
  };
  const isFree = options.only === undefined && options.faults === undefined;
  const around = isFree
    ? surroundingsOf(dice(seed).fork("around"), FAULTS_BEGIN, options.scene)
    : undefined;
  const faults = options.faults ?? [
    ...faultsOf(d, names, options.only),
    ...(options.only === undefined ? moreOf(dice(seed).fork("more"), names, more) : []),
    ...(around?.faults ?? []),
  ];
  return {
    cluster: {
      seed,
      nodes: options.twin === true ? [...nodes, { name: TWIN, memberName: names[0] }] : nodes,
      storeOn: d.pick([
        names.slice(0, 3),
        names.slice(0, 3),
        ["etcd1"],
        ["etcd1", "etcd2", "etcd3"],
      ]),
      electionMs: d.between(500, 1_500),
      revokesEarly: d.chance(0.3),
      network: {
        latencyMs: options.quick === true ? 0.1 : d.between(0.1, 5),
        jitterMs: options.quick === true ? 0.1 : d.between(0, 10),
        loss: d.pick([0, 0, 0.001, 0.01]),
      },
      config: {
        ...timing,
        maximum_lag_on_failover: d.pick([0, 100_000, 1_048_576, 1_048_576]),
        primary_start_timeout: d.pick([300, SHORT_START_TIMEOUT_S]),
        failsafe_mode: d.fork("failsafe").chance(0.7),
        // Shorter than a long absence of the schedule, so that slots go and are made again.
        member_slots_ttl: 60,
        ...more,
        ...around?.config,
        ...options.config,
      },
      otherSite: around?.otherSite,
      routers: around?.routers,
      factory: options.factory,
      flaws: options.flaws,
    },
    workload: {
      clients: 1 + d.integer(2),
      everyMs: d.between(200, 700),
      restEveryMs: d.between(20_000, 60_000),
      largestRow: d.pick([1_000, 100_000, 800_000]),
    },
    faults,
    judges: options.judges,
    healAtMs: HEAL_AT_MS,
    endAtMs: HEAL_AT_MS + LIVENESS_MS,
    ...(d.chance(LONG_SHARE) ? {} : { calmFromMs: HEAL_AT_MS + LEAST_LIVENESS_MS }),
  };
}

/** The host of a second agent with the first one's name. */
const TWIN = "twin";
/** Most servers start at once; some have much to recover, and now and then more than a short timeout allows. */
const STARTS_MS = [1_200, 1_200, 1_200, 1_200, 1_200, 1_200, 1_200, 1_200, 4_000, 8_000];

/** A share of the seeds has synchronous standbys; dice of their own leave the other seeds as they were. */
const syncOf = (d: Dice): Readonly<Record<string, unknown>> =>
  d.chance(0.35)
    ? {
        synchronous_mode: d.pick(["on", "quorum"]),
        synchronous_mode_strict: d.chance(0.2),
        synchronous_node_count: d.pick([1, 1, 2]),
      }
    : {};

const QUICK = { startMs: 60, replayMs: 0, promoteMs: 40, stopMs: 20, sqlMs: 0.5 };

function nodesOf(d: Dice, options: SwarmOptions): readonly NodeSpec[] {
  const isQuick = options.quick === true;
  const count = options.nodes ?? d.pick([3, 3, 3, 4, 5]);
  return Array.from({ length: count }, (_, i) => ({
    name: `n${i + 1}`,
    clockRate: d.pick([1, 0.99, 1.01, d.between(0.99, 1.01)]),
    profile: {
      startMs: d.between(80, i > 0 ? d.pick(STARTS_MS) : 1_200),
      replayMs: d.between(0, 2_000),
      promoteMs: Math.min(
        d.between(60, d.chance(0.25) ? 30_000 : 500),
        // Where nobody is quick enough for the configuration, nothing can heal.
        i === 0 ? SHORT_START_TIMEOUT_S * 500 : Number.POSITIVE_INFINITY,
      ),
      stopMs: d.between(30, d.chance(0.1) ? 6_000 : 400),
      flushMs: d.between(0.3, 3),
      cloneMs: d.between(2_000, 20_000),
      rewindMs: d.between(300, 6_000),
      sqlMs: d.between(1, 15),
      ...(isQuick ? QUICK : {}),
    },
    tags: {
      ...(i > 0 && d.chance(0.05) ? { nofailover: true, failoverPriority: 0 } : {}),
      // In larger clusters the last one streams from another standby.
      ...(i === count - 1 && count > 3 ? { replicatefrom: "n2" } : {}),
    },
  }));
}

const moreOf = (d: Dice, names: readonly string[], config: Readonly<Record<string, unknown>>) =>
  moreFaults(d, {
    names,
    isSynchronous: config["synchronous_mode"] !== undefined,
    hasReader: config["slots"] !== undefined,
    ...FAULTS_BEGIN,
  });

/** A handful of storms: faults cluster in time, because that is when they hurt. */
function faultsOf(d: Dice, names: readonly string[], only: SwarmOptions["only"]): readonly Fault[] {
  const wanted = LEAST_FAULTS + d.integer(12);
  const faults: Fault[] = [];
  let at = READY_MS + d.between(0, 20_000);
  const isEnough = (): boolean =>
    faults.length >= wanted &&
    (only !== undefined || new Set(faults.map((f) => kindOf(f.verb))).size >= LEAST_KINDS);
  for (let n = 0; n < 2_000 && !isEnough(); n++) {
    if (only === undefined && d.chance(AIMED_SHARE)) faults.push(...aimedAt(d, names, at));
    const fault = faultAt(d, names, at);
    if (only?.includes(fault.verb.do) === false) continue;
    faults.push(fault);
    const gap = d.chance(0.5) ? d.between(0, 8_000) : d.between(8_000, 90_000);
    at = Math.min(at + gap, FAULTS_BEGIN.untilMs);
  }
  return faults;
}

/** How often two faults are aimed at one moment that chance would seldom meet. */
const AIMED_SHARE = 0.04;

function aimedAt(d: Dice, names: readonly string[], at: number): readonly Fault[] {
  const atMs = Math.round(at);
  const kind = d.pick(["promotion", "promotion", "hand-over", "death", "again"] as const);
  switch (kind) {
    case "promotion":
      return atPromotion(d, atMs);
    case "hand-over":
      return atHandOver(d, atMs);
    case "death":
      return atDeath(d, d.pick(names), atMs);
    case "again":
      return again(d, atMs);
    default:
      return kind satisfies never;
  }
}

/** A primary dies, and whoever takes over is hit before it is settled: where the rules are thickest. */
function atPromotion(d: Dice, atMs: number): readonly Fault[] {
  const node = "standby";
  const hit = d.pick<Verb>([
    { do: "stopFence", node },
    { do: "killFence", node },
    { do: "killAgent", node },
    { do: "killAgent", node },
    { do: "crashLoopAgent", node, livesMs: Math.round(d.between(30, 400)) },
    { do: "stallAgent", node, stallMs: Math.round(d.between(300, 3_000)) },
    { do: "killPostmaster", node },
    { do: "cutFromStore", node },
  ]);
  return [
    { atMs, forMs: 5_000, verb: { do: "killPostmaster", node: "primary" } },
    { atMs: atMs + d.integer(1_500), forMs: 300 + d.integer(3_000), verb: hit },
  ];
}

/** A server dies, and somebody is quicker than its agent to start it again. */
const atDeath = (d: Dice, node: string, atMs: number): readonly Fault[] => [
  { atMs, forMs: 5_000, verb: { do: "killPostmaster", node } },
  { atMs: atMs + 15 + d.integer(40), forMs: 5_000, verb: { do: "startByStranger", node } },
];

/** The heir of a switchover dies while it is waited for. */
const atHandOver = (d: Dice, atMs: number): readonly Fault[] => [
  { atMs, forMs: 5_000, verb: { do: "switchover", candidate: "standby" } },
  { atMs: atMs + d.integer(400), forMs: 20_000, verb: { do: "killHost", node: "standby" } },
];

/** The same server resets itself twice within a minute. */
const again = (d: Dice, atMs: number): readonly Fault[] =>
  [atMs, atMs + 10_000 + d.integer(40_000)].map((at) => ({
    atMs: at,
    forMs: 5_000,
    verb: { do: "crashBackend", node: "primary" },
  }));

/** What happens to routers and at another site has dice of its own (`swarm-around.ts`). */
const KINDS: readonly Exclude<FaultKind, "router" | "site">[] = [
  "process",
  "process",
  "process",
  "network",
  "network",
  "store",
  "store",
  "clock",
  "disk",
  "operator",
  "operator",
];

function faultAt(d: Dice, names: readonly string[], atMs: number): Fault {
  const node = d.chance(0.55) ? "primary" : d.pick([...names, "standby", "other"]);
  const forMs = Math.round(
    d.pick([d.between(50, 2_000), d.between(500, 15_000), d.between(5_000, 90_000)]),
  );
  const fault = (verb: Verb): Fault => ({ atMs: Math.round(atMs), forMs, verb });
  const kind = d.pick(KINDS);
  switch (kind) {
    case "process":
      return fault(processVerb(d, node));
    case "network":
      return fault(networkVerb(d, node, names));
    case "store":
      return fault(storeVerb(d, node));
    case "clock":
      return fault(clockVerb(d, node));
    case "disk":
      return fault(diskVerb(d, node));
    case "operator":
      return fault(operatorVerb(d, node));
    default:
      return kind satisfies never;
  }
}

const processVerb = (d: Dice, node: string): Verb =>
  d.pick<Verb>([
    { do: "killPostmaster", node },
    { do: "killPostmaster", node },
    { do: "crashBackend", node },
    { do: "failSessions", node },
    { do: "killHost", node },
    { do: "killHost", node },
    { do: "killAgent", node },
    { do: "stopAgent", node },
    { do: "crashLoopAgent", node, livesMs: Math.round(d.between(1, 400)) },
    { do: "stallAgent", node, stallMs: Math.round(d.between(500, 20_000)) },
    { do: "killFence", node },
    { do: "stopFence", node },
    { do: "hangServer", node },
    { do: "stopServer", node },
    { do: "refusePromotion", node },
    { do: "longBackends", node, count: 2 },
    { do: "startByStranger", node },
  ]);

const networkVerb = (d: Dice, node: string, names: readonly string[]): Verb =>
  d.pick<Verb>([
    { do: "cutFromStore", node },
    { do: "cutFromPeers", node },
    { do: "cutFromClients", node },
    { do: "isolate", node },
    { do: "cutOneWay", from: d.pick(names), to: d.pick(names) },
  ]);

const storeVerb = (d: Dice, node: string): Verb =>
  d.pick<Verb>([
    { do: "storeDown" },
    { do: "storeLeaderKill" },
    { do: "storeLeaderPause" },
    { do: "storeNoSpace" },
    { do: "storeCompact" },
    { do: "otherStore" },
    { do: "olderStore" },
    { do: "eraseInitialize" },
    { do: "revokeLease", node },
    { do: "loseAnswers", node, share: d.between(0.05, 0.7) },
    { do: "applyLate", node, share: d.between(0.05, 0.5) },
    { do: "watchLag", node, lagMs: Math.round(d.between(100, 8_000)) },
    { do: "watchSilent", node },
    { do: "slowStore", node, delayMs: Math.round(d.between(20, 3_000)) },
  ]);

const clockVerb = (d: Dice, node: string): Verb =>
  d.pick<Verb>([
    { do: "clockRate", node, rate: d.between(0.99, 1.01) },
    { do: "stepWall", node, byMs: Math.round(d.between(-100_000, 100_000)) },
    { do: "suspendHost", node },
  ]);

const diskVerb = (d: Dice, node: string): Verb =>
  d.pick<Verb>([
    { do: "fillDisk", node },
    { do: "tightenDisk", node },
    { do: "breakWatchdog", node },
    { do: "foreignData", node, isJunk: d.chance(0.5) },
    { do: "slowDisk", node, slowMs: Math.round(d.between(20, 800)) },
    { do: "slowStandby", node: "standby", slowMs: Math.round(d.between(200, 5_000)) },
  ]);

const operatorVerb = (d: Dice, node: string): Verb =>
  d.pick<Verb>([
    { do: "switchover" },
    { do: "switchover", inMs: Math.round(d.between(500, 15_000)) },
    { do: "switchover", candidate: d.pick(["standby", "other"]) },
    { do: "failover", candidate: "standby" },
    { do: "restart", node },
    { do: "reinit", node: d.pick(["standby", "other", node]) },
    { do: "pause" },
    { do: "pause", endsInMs: Math.round(d.between(500, 20_000)) },
    { do: "detach", node },
    { do: "stopCleanly", node },
  ]);
