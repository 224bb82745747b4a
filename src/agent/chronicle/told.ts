// Which events lie between what was told and this look? Pure: the node's world and decision in, events out.
import type { Decision } from "../../controllers/controller.ts";
import type { HaStep } from "../../controllers/ha/steps.ts";
import type { HaMemory, HaWorld } from "../../controllers/ha/world.ts";
import type { ClusterSnapshot } from "../../model/cluster.ts";
import type { EventBody, ServerLook } from "../../model/event.ts";
import { valueOf } from "../../model/known.ts";
import { type Lsn, printLsn } from "../../model/lsn.ts";
import { between, type Instant, type Ms } from "../../model/time.ts";
import { headOf } from "../../model/timeline.ts";

/** What was told last, so that only changes are. */
export interface Told {
  readonly decision: string | undefined;
  readonly look: ServerLook | undefined;
  readonly timeline: number | undefined;
  readonly leader: string | undefined;
  readonly term: number | undefined;
  readonly storeReadable: boolean;
  /** Members that were asked and did not answer. */
  readonly silent: readonly string[];
  readonly streaming: readonly string[];
  readonly wish: number;
  readonly ownTerm: number | undefined;
  readonly branchTerm: number | undefined;
  /** By kind of step: the last outcome that was heard of. */
  readonly outcomes: Readonly<Record<string, HeardOutcome>>;
}

interface HeardOutcome {
  readonly at: Instant;
  /** Undefined when it did not fail. */
  readonly failure: string | undefined;
  /** When that was told last. */
  readonly toldAt: Instant;
}

/** A failure that goes on is told so often: several times a second it would push out how it began. */
const FAILS_ON_EVERY_MS: Ms = 60_000;

export const NOTHING_TOLD: Told = {
  decision: undefined,
  look: undefined,
  timeline: undefined,
  leader: undefined,
  term: undefined,
  storeReadable: true,
  silent: [],
  streaming: [],
  wish: 0,
  ownTerm: undefined,
  branchTerm: undefined,
  outcomes: {},
};

/** A body, and how long before this look it came true. */
export interface Dated {
  readonly agoMs: number;
  readonly body: EventBody;
}

/** Upkeep of every look: the log tells when it fails, and what keeps it from working has events of its own. */
const EVERYDAY: ReadonlySet<HaStep["kind"]> = new Set([
  "ensure-fence",
  "publish",
  "write-status",
  "write-roster",
  "sync-slots",
  "advance-copies",
  "compare-slots",
  "checkpoint",
] as const);

/** The events between what was told and this look, in the order in which they came true. */
export function eventsBetween(
  told: Told,
  w: HaWorld,
  decision: Decision<HaStep, HaMemory>,
): { readonly told: Told; readonly events: readonly Dated[] } {
  const cluster = valueOf(w.store);
  const parts = [
    storePart(told, w),
    ...(cluster === undefined ? [] : [leaderPart(told, w, cluster), wishPart(told, cluster)]),
    outcomePart(told, w),
    serverPart(told, w),
    branchPart(told, w),
    peerPart(told, w),
    streamPart(told, w),
    ownTermPart(told, w),
    decisionPart(told, w, decision),
  ];
  return {
    told: Object.assign({}, told, ...parts.map((part) => part.told)) as Told,
    events: parts.flatMap((part) => part.events).toSorted((a, b) => b.agoMs - a.agoMs),
  };
}

interface Part {
  readonly told: Partial<Told>;
  readonly events: readonly Dated[];
}

const NONE: Part = { told: {}, events: [] };
const now = (told: Partial<Told>, ...bodies: readonly EventBody[]): Part => ({
  told,
  events: bodies.map((body) => ({ agoMs: 0, body })),
});

/** Only a store that answered once can be lost. */
function storePart(told: Told, { store }: HaWorld): Part {
  const readable = store.kind === "known";
  if (readable === told.storeReadable) return NONE;
  return now(
    { storeReadable: readable },
    readable ? { kind: "store", readable } : { kind: "store", readable, why: store.why },
  );
}

function leaderPart(told: Told, w: HaWorld, cluster: ClusterSnapshot): Part {
  const { leader, status } = cluster;
  if (leader?.name === told.leader && leader?.term === told.term) return NONE;
  const end = status.value.position;
  const sighting = w.holdSeen;
  return now(
    { leader: leader?.name, term: leader?.term },
    {
      kind: "leader",
      ...some("name", leader?.name),
      ...some("term", leader?.term),
      ...some("before", told.leader),
      ...some("end", end === undefined ? undefined : printLsn(end)),
      ...some(
        "stillMs",
        leader === undefined && sighting !== undefined
          ? Math.round(between(sighting.seenAt, w.now))
          : undefined,
      ),
    },
  );
}

function wishPart(told: Told, { failover }: ClusterSnapshot): Part {
  const { value, modRevision } = failover;
  const revision = value === undefined ? 0 : modRevision;
  if (revision === told.wish) return NONE;
  return now(
    { wish: revision },
    {
      kind: "wish",
      ...some("from", value?.leader),
      ...some("to", value?.candidate),
      open: value !== undefined,
    },
  );
}

function outcomePart(told: Told, w: HaWorld): Part {
  const events: Dated[] = [];
  const outcomes: Record<string, HeardOutcome> = { ...told.outcomes };
  for (const [step, outcome] of Object.entries(w.outcomes)) {
    const before = outcomes[step];
    if (outcome === undefined || before?.at === outcome.at) continue;
    const { at, ok, code, why } = outcome;
    const failure = ok ? undefined : `${code}: ${why}`;
    const failsOn = failure !== undefined && failure === before?.failure;
    const isTold = failsOn && between(before.toldAt, at) < FAILS_ON_EVERY_MS;
    outcomes[step] = { at, failure, toldAt: isTold ? before.toldAt : at };
    if (isTold || EVERYDAY.has(step as HaStep["kind"])) continue;
    const agoMs = between(at, w.now);
    const ended = { ok, ...(ok ? {} : { ...some("code", code), ...some("why", why) }) };
    events.push({ agoMs, body: { kind: "step", step, ...ended } });
    const end = crashEnd(outcome.result);
    if (end !== undefined) events.push({ agoMs, body: { kind: "crash-end", position: end } });
  }
  return { told: { outcomes }, events };
}

function crashEnd(result: unknown): string | undefined {
  if (typeof result !== "object" || result === null) return undefined;
  const { kind, lsn } = result as Readonly<Record<string, unknown>>;
  return kind === "end" && typeof lsn === "bigint" ? printLsn(lsn as Lsn) : undefined;
}

function serverPart(told: Told, w: HaWorld): Part {
  const look = lookOf(w);
  const sql = valueOf(w.server.sql);
  // A standby that nobody feeds names the timeline of its last checkpoint; its own record is newer.
  const own = sql?.inRecovery === true ? headOf(w.server.lineage)?.timeline : undefined;
  const timeline = own ?? sql?.timeline ?? told.timeline;
  if (look === told.look && timeline === told.timeline) return NONE;
  return now(
    { look, timeline },
    {
      kind: "server",
      look,
      ...some("timeline", sql === undefined ? undefined : timeline),
      ...some("position", sql === undefined ? undefined : printLsn(sql.position)),
    },
  );
}

export function lookOf({ server }: Pick<HaWorld, "server">): ServerLook {
  const { process } = server;
  if (process.kind !== "running") return process.kind;
  const sql = valueOf(server.sql);
  if (sql !== undefined) return sql.inRecovery ? "standby" : "primary";
  return process.accepting === "yes" ? "silent" : process.accepting;
}

/** Told by whoever began it: a standby's record of the same branch comes later and says no more. */
function branchPart(told: Told, w: HaWorld): Part {
  const head = headOf(w.server.lineage);
  if (head === undefined || head.term === told.branchTerm) return NONE;
  const { timeline, term, forkLsn } = head;
  const isOwn = w.lease.held?.term === term && told.branchTerm !== undefined;
  const body = { kind: "branch", timeline, term, fork: printLsn(forkLsn) } as const;
  return isOwn ? now({ branchTerm: term }, body) : now({ branchTerm: term });
}

function peerPart(told: Told, { peers }: HaWorld): Part {
  const events: EventBody[] = [];
  let silent = told.silent;
  for (const [name, answer] of Object.entries(peers)) {
    const was = told.silent.includes(name);
    if (answer.kind === "unknown" && !was) {
      silent = [...silent, name];
      events.push({ kind: "peer", name, answers: false, why: answer.why });
    }
    if (answer.kind === "known" && was) {
      silent = silent.filter((other) => other !== name);
      events.push({ kind: "peer", name, answers: true });
    }
  }
  return now({ silent }, ...events);
}

function streamPart(told: Told, w: HaWorld): Part {
  const sql = valueOf(w.server.sql);
  if (sql === undefined || sql.inRecovery) return now({ streaming: [] });
  const streaming = sql.senders.filter(({ state }) => state === "streaming").map((s) => s.name);
  const isMember = (name: string) => name !== w.self.name && !name.includes(" ");
  return now(
    { streaming },
    ...streaming
      .filter((name) => !told.streaming.includes(name) && isMember(name))
      .map((name) => ({ kind: "standby", name, streams: true }) as const),
    ...told.streaming
      .filter((name) => !streaming.includes(name) && isMember(name))
      .map((name) => ({ kind: "standby", name, streams: false }) as const),
  );
}

function ownTermPart(told: Told, w: HaWorld): Part {
  const term = w.lease.held?.term;
  if (term === told.ownTerm) return NONE;
  if (term === undefined) return now({ ownTerm: term });
  const { synchronousMode, synchronousModeStrict } = w.config;
  const sync = `${synchronousMode}${synchronousModeStrict ? ", strict" : ""}`;
  return now(
    { ownTerm: term },
    { kind: "elected", term, ...some("chosen", w.memory.chosen), sync },
  );
}

function decisionPart(told: Told, w: HaWorld, decision: Decision<HaStep, HaMemory>): Part {
  const { because, detail, step } = decision;
  const key = `${because} ${step?.kind ?? ""}`;
  if (key === told.decision) return NONE;
  return now(
    { decision: key },
    {
      kind: "decision",
      because,
      ...some("detail", detail),
      ...some("step", step?.kind),
      ...some("term", w.lease.held?.term),
    },
  );
}

/** The field, or nothing at all when there is no value. */
function some<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V });
}
