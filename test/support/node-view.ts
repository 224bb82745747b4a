// A node as the REST API sees it, built from plain values: tests change what they ask about.

import type { NodeRequest, NodeView, RequestOutcome, View } from "../../src/agent/api/node-view.ts";
import type { ApiContext } from "../../src/agent/api/route.ts";
import type { ClusterSnapshot, FailoverIntent } from "../../src/model/cluster.ts";
import { DEFAULT_CONFIG } from "../../src/model/config.ts";
import { AppError } from "../../src/model/error.ts";
import { known, unknown } from "../../src/model/known.ts";
import type { LagMoment } from "../../src/model/lag/moment.ts";
import { lsn } from "../../src/model/lsn.ts";
import { bareMember, type Member, type PeerStatus } from "../../src/model/member.ts";
import type { PromiseAnswer, PromiseAsked } from "../../src/model/promise.ts";
import type { LocalServer, SqlState } from "../../src/model/server.ts";
import { DEFAULT_TAGS, type NodeSettings } from "../../src/model/settings.ts";
import { parseNodeFile } from "../../src/model/settings-file.ts";
import type { SlotReport } from "../../src/model/slot-report.ts";
import { after, type Instant, instant } from "../../src/model/time.ts";
import { FIRST_BRANCH } from "../../src/model/timeline.ts";
import type { RepopulateOutcome, RepopulateWish } from "../../src/node/node.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Log } from "../../src/ports/log.ts";

/** The moment of every built view. */
export const NOW = instant(1_000_000);
/** 2026-11-23T00:00:00Z. */
export const WALL_MS = 1_795_392_000_000;

export const member = (name: string, change: Partial<Member> = {}): Member => ({
  ...bareMember(name, `${name}.example`, 5432, `http://${name}.example:8008`),
  state: "running",
  role: "standby",
  version: "4.1.4",
  timeline: 1,
  position: lsn(1000),
  receivedLsn: lsn(1000),
  replayedLsn: lsn(1000),
  replicationState: "streaming",
  ours: { agent: "0.1.0", hold: true, fence: true, heedsPause: true },
  because: "following",
  ...change,
});

export const primary = (name: string, change: Partial<Member> = {}): Member =>
  member(name, {
    role: "primary",
    receivedLsn: undefined,
    replayedLsn: undefined,
    replicationState: undefined,
    because: "leading",
    ...change,
  });

export const cluster = (change: Partial<ClusterSnapshot> = {}): ClusterSnapshot => ({
  header: { clusterId: "c", revision: 100, raftTerm: 1 },
  initialize: { value: "7000000000000000001", modRevision: 1 },
  config: { value: { ...DEFAULT_CONFIG, raw: { ttl: 10, loop_wait: 2 } }, modRevision: 7 },
  configWarnings: [],
  leader: { name: "n1", term: 10, leaseId: "1" },
  hold: undefined,
  members: [primary("n1"), member("n2"), member("n3")],
  failover: { value: undefined, modRevision: 0 },
  status: { value: { position: lsn(1000), slots: {}, absentMs: {} }, modRevision: 20 },
  history: { value: [], modRevision: 0 },
  lineage: { value: [FIRST_BRANCH], modRevision: 1 },
  sync: { value: undefined, modRevision: 0 },
  roster: { value: undefined, modRevision: 0 },
  routers: [],
  unguarded: { value: undefined, modRevision: 0 },
  succession: { value: undefined, modRevision: 0 },
  ...change,
});

export const sql = (change: Partial<SqlState> = {}): SqlState => ({
  version: 150_004,
  inRecovery: false,
  walLevel: "logical",
  timeline: 1,
  position: lsn(1000),
  receivedLsn: undefined,
  replayedLsn: undefined,
  replayedAtText: undefined,
  exhausted: true,
  replayPaused: false,
  walReceiver: undefined,
  senders: [],
  syncNames: "",
  slots: [],
  slotLimitBytes: 8 * 1024 ** 3,
  pendingRestart: [],
  startedAtText: "2026-11-22 23:00:00.000000+00:00",
  sharedSinceText: "2026-11-22 23:00:00.000000+00:00",
  upstream: undefined,
  ...change,
});

export const server = (state: SqlState, change: Partial<LocalServer> = {}): LocalServer => ({
  directory: "data",
  control: undefined,
  process: { kind: "running", pid: 42, accepting: "yes", guarded: true, startedAt: instant(1) },
  sql: known(state, NOW),
  lineage: [FIRST_BRANCH],
  standbySignal: state.inRecovery,
  settingsStale: false,
  syncNames: { kind: "unmanaged" },
  binariesChanged: false,
  diskFreeBytes: 10 * 1024 ** 3,
  diskBytes: 40 * 1024 ** 3,
  ownSlots: [],
  ...change,
});

export const peer = (of: Member): PeerStatus => ({
  name: of.name,
  role: of.role,
  state: of.state,
  position: of.position,
  timeline: of.timeline,
  lineage: [FIRST_BRANCH],
  tags: of.tags,
  unfit: undefined,
  watchdogFailed: false,
  promisedTerm: undefined,
});

/** n1, the primary of three, with five seconds of lease left. */
export const primaryView = (change: Partial<View> = {}): View => ({
  member: primary("n1"),
  peer: peer(primary("n1")),
  slots: [],
  lostSlots: [],
  server: { seen: server(sql()), at: NOW },
  cluster: { seen: cluster(), at: after(NOW, -400) },
  storeTrouble: undefined,
  config: DEFAULT_CONFIG,
  remote: undefined,
  lease: { term: 10, validUntil: after(NOW, 5_000) },
  byPeers: false,
  leaseRenewedAt: after(NOW, -500),
  fence: {
    alive: true,
    armed: { term: 10, until: after(NOW, 5_000) },
    unguarded: undefined,
    leaseId: "1",
    serverPid: 42,
    acknowledgedAt: after(NOW, -500),
    roundTripMs: 2,
    lacking: [],
    watchdog: "absent",
  },
  because: { reason: "leading", detail: undefined, since: after(NOW, -60_000) },
  job: undefined,
  lag: undefined,
  wal: undefined,
  loop: {
    lastTickAt: after(NOW, -300),
    lastTickMs: 12,
    nextTickAt: after(NOW, 1_700),
    eventLoopDelayMs: 1,
  },
  ...change,
});

/** n2, a standby that has replayed everything. */
export const standbyView = (change: Partial<View> = {}): View => {
  const state = sql({ inRecovery: true, receivedLsn: lsn(1000), replayedLsn: lsn(1000) });
  return primaryView({
    member: member("n2"),
    peer: peer(member("n2")),
    server: { seen: server(state), at: NOW },
    lease: undefined,
    leaseRenewedAt: undefined,
    because: { reason: "following", detail: "n1", since: after(NOW, -60_000) },
    ...change,
  });
};

export const tagged = (view: View, tags: Partial<typeof DEFAULT_TAGS>): View => ({
  ...view,
  member: { ...view.member, tags: { ...DEFAULT_TAGS, ...tags } },
});

export const settings = (more = ""): NodeSettings => {
  const file = parseNodeFile(
    `scope: demo
name: n1
etcd: {host: 127.0.0.1}
postgresql:
  connect_address: 127.0.0.1:5432
  data_dir: /var/lib/demo
  authentication: {replication: {password: secret}}
${more}`,
    "n1.yml",
  );
  if (file.kind !== "settings") throw new Error(`a node, not ${file.kind}`);
  return file.settings;
};

const SILENT: Log = { error() {}, warn() {}, info() {}, debug() {} };

/** A clock that stands still until somebody sleeps. */
export function handClock(): Clock & { at: Instant } {
  const clock = {
    at: NOW,
    now: () => clock.at,
    wallMs: () => WALL_MS + (clock.at - NOW),
    wakeAt: () => ({ cancel() {} }),
    sleep(ms: number) {
      clock.at = after(clock.at, ms);
      return Promise.resolve();
    },
    deadline: () => ({ signal: new AbortController().signal, [Symbol.dispose]() {} }),
  };
  return clock;
}

/** What the API asked of the node, and the store behind it. */
export interface FakeNode extends NodeView {
  seen: View;
  /** Snapshots that the next reads answer; the last one stays. Undefined: the store is away. */
  snapshots: (ClusterSnapshot | undefined)[];
  silent: Set<string>;
  refuse: { failover: number; config: number };
  outcome: RequestOutcome;
  /** What the node answers to a primary that asks it not to race, and what was asked. */
  word: PromiseAnswer;
  readonly asked: PromiseAsked[];
  /** How it judges the wish to repopulate the store, and what was wished. */
  judged: RepopulateOutcome;
  readonly wishes: RepopulateWish[];
  readonly requests: NodeRequest[];
  readonly intents: (FailoverIntent | undefined)[];
  readonly configs: string[];
  /** Revisions of the records of a primary without a fence that were taken away. */
  readonly cleared: number[];
  isServerThere: boolean;
  lagMoments: readonly LagMoment[];
  /** How often somebody looked at lag. */
  lagWatched: number;
}

/** Slots with their uses, all idle for ten minutes unless they belong to a member. */
export const slotsFor = (uses: Readonly<Record<string, SlotReport["use"]>>): View["slots"] =>
  Object.entries(uses).map(([name, use]) => ({
    slot: {
      name,
      kind: "physical",
      active: use === "member",
      restartLsn: lsn(500),
      walStatus: "reserved",
      temporary: false,
      catalogXmin: undefined,
      logical: undefined,
    },
    use,
    idleMs: use === "member" ? undefined : 600_000,
    retainedBytes: 500,
    isSafe: undefined,
  }));

export function fakeNode(view: View = primaryView()): FakeNode {
  const node: FakeNode = {
    seen: view,
    snapshots: [view.cluster?.seen],
    silent: new Set(),
    refuse: { failover: 0, config: 0 },
    outcome: { kind: "done" },
    word: { kind: "promised" },
    judged: { kind: "refused", why: "n2 led last", next: "ask that member instead" },
    wishes: [],
    asked: [],
    requests: [],
    intents: [],
    configs: [],
    cleared: [],
    isServerThere: false,
    lagMoments: [],
    lagWatched: 0,
    view: () => node.seen,
    fresh: () => Promise.resolve(node.seen),
    lagHistory: async () => node.lagMoments,
    watchLag: () => {
      node.lagWatched += 1;
    },
    journal: () => [
      { wallMs: WALL_MS, because: "leading", detail: "d", step: undefined, term: 10 },
    ],
    logs: (source, wish) =>
      Promise.resolve({
        lines: [`${source} ${"since" in wish ? `since ${wish.since}` : wish.lines}`],
        next: 7,
      }),
    async readCluster() {
      const next = node.snapshots.length > 1 ? node.snapshots.shift() : node.snapshots[0];
      if (next === undefined) throw new AppError("STORE_UNREACHABLE", "reading", "refused");
      return next;
    },
    async askMember(apiUrl) {
      const name = /\/\/(\w+)\./.exec(apiUrl)?.[1] ?? "";
      const found = node.seen.cluster?.seen.members.find((m) => m.name === name);
      if (found === undefined || node.silent.has(name)) return unknown("limit 2000 ms", NOW);
      return known(peer(found), NOW);
    },
    async writeFailover(intent) {
      if (node.refuse.failover-- > 0) return "refused";
      node.intents.push(intent);
      return "written";
    },
    async writeConfig(text) {
      if (node.refuse.config-- > 0) return "refused";
      node.configs.push(text);
      return "written";
    },
    async clearUnguarded(revision) {
      node.cleared.push(revision);
      return "written";
    },
    serverAnswers: () => Promise.resolve(node.isServerThere),
    promise(asked) {
      node.asked.push(asked);
      return Promise.resolve(node.word);
    },
    async repopulate(wish) {
      node.wishes.push(wish);
      return node.judged;
    },
    request(request) {
      node.requests.push(request);
      return Promise.resolve(node.outcome);
    },
  };
  return node;
}

export const contextOf = (node: NodeView, of: NodeSettings = settings()): ApiContext => ({
  node,
  settings: of,
  clock: handClock(),
  log: SILENT,
  agentVersion: "0.1.0",
});
