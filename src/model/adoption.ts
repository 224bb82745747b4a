// How does a cluster of Patroni's agents become one of ours, node by node, and what stands against the next step?
import { parse } from "yaml";
import type { Address } from "./address.ts";
import { overridesIn } from "./settings-environment.ts";
import { isObject } from "./wire/json.ts";

/** What Patroni's REST API and the node's own file tell about the cluster. */
export interface AdoptionView {
  readonly scope: string;
  /** The section of the file that names the store: for Patroni `etcd` means the v2 API. */
  readonly storeSection: "etcd" | "etcd3";
  readonly members: readonly AdoptedMember[];
  readonly isPaused: boolean;
  readonly scheduledSwitchover: string | undefined;
  /** The dynamic configuration as it is stored. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The timeline that the last row of the history ends; undefined when there is none. */
  readonly lastEndedTimeline: number | undefined;
}

export interface AdoptedMember {
  readonly name: string;
  readonly leads: boolean;
  readonly isSynchronous: boolean;
  readonly state: string;
  readonly timeline: number | undefined;
  readonly lagBytes: number | undefined;
  /** Where its server is reached. */
  readonly address: Address;
  /** Undefined: its agent did not answer. */
  readonly agent: { readonly isOurs: boolean; readonly version: string } | undefined;
}

export interface AdoptionStep {
  readonly kind: "replace" | "switch-over";
  readonly member: string;
  readonly isDone: boolean;
  /** Whom a switchover makes the leader. */
  readonly to?: string;
}

/** What stands against the next step: what, and what to do about it. */
export interface Objection {
  readonly what: string;
  readonly next: string;
}

/** A standby further behind than this is waited for. */
const MOST_LAG_BYTES = 16 * 1024 * 1024;
/** The next leader further behind than this would let clients wait. */
const MOST_LAG_OF_HEIR_BYTES = 1024 * 1024;
/** Patroni's agents in a mixed cluster count on it. */
const LEAST_TTL_S = 20;
const GOOD_STATES = new Set(["running", "streaming"]);
/** While one of Patroni's agents is there these mean what Patroni means by them, and afterwards what we do. */
const CHANGING_DEFAULTS: Readonly<Record<string, readonly [theirs: string, ours: string]>> = {
  ttl: ["30", "10"],
  loop_wait: ["10", "2"],
  retry_timeout: ["10", "3"],
  check_timeline: ["false", "true"],
  failsafe_mode: ["false", "true"],
};

/** Ours reads both sections alike; for Patroni they are two different APIs of the store, whoever names them. */
export function storeSectionIn(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): AdoptionView["storeSection"] {
  const file: unknown = parse(text);
  const isInFile = isObject(file) && isObject(file["etcd"]);
  return isInFile || overridesIn(environment).some(({ path }) => path[0] === "etcd")
    ? "etcd"
    : "etcd3";
}

/** Standbys first, asynchronous ones before all; then the one switchover; the former leader last. */
export function planAdoption({ members }: AdoptionView): readonly AdoptionStep[] {
  const leader = members.find(({ leads }) => leads);
  const standbys = members.filter(({ leads }) => !leads);
  const ordered = standbys.toSorted((a, b) => Number(a.isSynchronous) - Number(b.isSynchronous));
  const replace = (m: AdoptedMember): AdoptionStep => ({
    kind: "replace",
    member: m.name,
    isDone: m.agent?.isOurs === true,
  });
  const steps = ordered.map(replace);
  if (leader === undefined) return steps;
  if (leader.agent?.isOurs === true) return inOrderOfDoing([...steps, replace(leader)]);
  const heir = ordered.find(({ isSynchronous }) => isSynchronous) ?? ordered[0];
  const handOver: readonly AdoptionStep[] =
    heir === undefined
      ? []
      : [{ kind: "switch-over", member: leader.name, isDone: false, to: heir.name }];
  return inOrderOfDoing([...steps, ...handOver, replace(leader)]);
}

const inOrderOfDoing = (steps: readonly AdoptionStep[]): readonly AdoptionStep[] => [
  ...steps.filter(({ isDone }) => isDone),
  ...steps.filter(({ isDone }) => !isDone),
];

/** Everything that must be put right before the next step; empty when it may be done now. */
export function objectionsTo(view: AdoptionView): readonly Objection[] {
  const next = planAdoption(view).find(({ isDone }) => !isDone);
  const heir = next?.kind === "switch-over" ? next.to : undefined;
  return [
    ...inStore(view),
    ...inCluster(view),
    ...view.members.flatMap((m) => inMember(m, m.name === heir)),
  ];
}

function inStore({ storeSection, config, members }: AdoptionView): readonly Objection[] {
  const found: Objection[] = [];
  if (members.every(({ agent }) => agent?.isOurs === true)) return [];
  if (storeSection === "etcd") {
    found.push({
      what: "the section etcd makes Patroni keep its keys in etcd's v2 API, where nobody of ours looks",
      next: "patronictl pause; write etcd3 instead of etcd in every node's file; restart every patroni; patronictl resume",
    });
  }
  const ttl = config["ttl"];
  if (typeof ttl === "number" && ttl < LEAST_TTL_S) {
    found.push({
      what: `ttl is ${ttl}; while both kinds of agent are there it must be at least ${LEAST_TTL_S}`,
      next: `patronictl edit-config -s ttl=${LEAST_TTL_S}`,
    });
  }
  if (isObject(config["standby_cluster"])) {
    found.push({
      what: "it follows another site (standby_cluster)",
      next: "adopt the other site first, or promote this one",
    });
  }
  return found;
}

function inCluster(view: AdoptionView): readonly Objection[] {
  const found: Objection[] = [];
  const leaders = view.members.filter(({ leads }) => leads);
  const [leader] = leaders;
  if (leader === undefined)
    found.push({ what: "nobody leads the cluster", next: "wait until somebody does" });
  if (view.members.length < 2)
    found.push({ what: "there is no standby", next: "add one: it takes over from the leader" });
  if (view.isPaused) found.push({ what: "the cluster is paused", next: "patronictl resume" });
  if (view.scheduledSwitchover !== undefined) {
    const what = `a switchover is scheduled for ${view.scheduledSwitchover}`;
    found.push({ what, next: `patronictl flush ${view.scope} switchover` });
  }
  const ended = view.lastEndedTimeline ?? 0;
  const isForeign = leader?.agent?.isOurs === false;
  if (isForeign && leader?.timeline !== undefined && leader.timeline !== ended + 1) {
    found.push({
      what: `the leader is on timeline ${leader.timeline}, and the history in the store ends with ${ended}`,
      next: `patronictl switchover once: the leader writes the history of its next timeline`,
    });
  }
  return found;
}

function inMember(m: AdoptedMember, isHeir: boolean): readonly Objection[] {
  if (m.agent === undefined)
    return [
      { what: `the agent of ${m.name} does not answer`, next: "start it, or remove the member" },
    ];
  if (!GOOD_STATES.has(m.state))
    return [{ what: `${m.name} is ${m.state}`, next: "wait until it runs" }];
  const mostBytes = isHeir ? MOST_LAG_OF_HEIR_BYTES : MOST_LAG_BYTES;
  if (!m.leads && (m.lagBytes ?? 0) > mostBytes)
    return [
      { what: `${m.name} is ${m.lagBytes} bytes behind`, next: "wait until it has caught up" },
    ];
  return [];
}

/** Settings that nobody wrote, and that will mean something else when the last of Patroni's agents has gone. */
export function changingDefaults({ config }: AdoptionView): readonly string[] {
  return Object.entries(CHANGING_DEFAULTS)
    .filter(([name]) => config[name] === undefined)
    .map(([name, [theirs, ours]]) => `${name} is not written: ${theirs} now, ${ours} afterwards`);
}
