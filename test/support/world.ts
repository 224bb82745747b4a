// Worlds of the ha room for tests: three healthy ones, and small functions that each change one thing.
import type { Job, Outcome } from "../../src/controllers/controller.ts";
import type { HaStep } from "../../src/controllers/ha/steps.ts";
import {
  EMPTY_MEMORY,
  type HaMemory,
  type HaWorld,
  type Requests,
} from "../../src/controllers/ha/world.ts";
import type {
  ClusterSnapshot,
  FailoverIntent,
  Hold,
  Release,
  Roster,
} from "../../src/model/cluster.ts";
import { DEFAULT_CONFIG, type DynamicConfig } from "../../src/model/config.ts";
import { known, unknown } from "../../src/model/known.ts";
import { type Lsn, lsn } from "../../src/model/lsn.ts";
import { bareMember, type Member, type PeerStatus } from "../../src/model/member.ts";
import type {
  Accepting,
  ControlData,
  DirectoryState,
  LocalServer,
  SqlState,
} from "../../src/model/server.ts";
import { DEFAULT_TAGS, type Tags } from "../../src/model/settings.ts";
import { after, instant, type Ms } from "../../src/model/time.ts";
import { type Branch, FIRST_BRANCH, type Lineage } from "../../src/model/timeline.ts";
import { NO_REQUESTS } from "../../src/node/requests.ts";
import { deepFreeze } from "./deep-freeze.ts";
import { STATUS, slot } from "./slot.ts";

export type Change = (w: HaWorld) => HaWorld;

export const NOW = instant(1_000_000);
/** 2026-11-23T00:00:00Z. */
export const WALL_MS = 1_795_392_000_000;
export const SYSTEM_ID = "7000000000000000001";
/** n1's term, in which it began timeline 2. */
export const TERM = 100;
export const END = lsn(0x5000000);
export const CHECKPOINT = lsn(0x4000000);
export const FORK = lsn(0x3000000);
export const BRANCH_2: Branch = { timeline: 2, parent: 1, forkLsn: FORK, term: TERM };
export const LINEAGE: Lineage = [FIRST_BRANCH, BRANCH_2];
/** A branch begun later by somebody else, from the end of timeline 2. */
export const BRANCH_3: Branch = { timeline: 3, parent: 2, forkLsn: END, term: 200 };
/** Who may race in every built world. */
export const ROSTER: Roster = {
  n1: "http://n1.example:8008",
  n2: "http://n2.example:8008",
  n3: "http://n3.example:8008",
};
export const leaseIdOf = (name: string): string => `lease-${name}`;

/** The world with every change made in turn, frozen to its depths. */
export const given = (base: HaWorld, ...changes: readonly Change[]): HaWorld =>
  deepFreeze(changes.reduce((w, change) => change(w), base));

/** n1 leads and is the primary; n2 and n3 stream from it. */
export const leading = (): HaWorld => worldOf("n1", primaryServer());

/** The same cluster as n2 sees it. */
export const following = (): HaWorld => worldOf("n2", standbyServer());

/** n1 has been silent for more than one H and its key is gone; n2 may race, n3 is its equal. */
export const leaderless = (): HaWorld =>
  [withoutLeader, holdSilentFor(20_000), peerSays("n3"), peerSilent("n1"), detached].reduce(
    (w, change) => change(w),
    following(),
  );

/** n2 has just won term 200 after n1, and is still a standby. */
export const justWon = (): HaWorld =>
  [heldBy("n2", 200), withLease(200), peerSays("n3"), peerSilent("n1"), detached].reduce(
    (w, change) => change(w),
    following(),
  );

/** Nobody has made the cluster yet: no data, an empty store. */
export const unborn = (): HaWorld =>
  [withoutLeader, withoutHold, emptyStore, noData("empty")].reduce(
    (w, change) => change(w),
    following(),
  );

const member = (name: string, change: Partial<Member> = {}): Member => ({
  ...bareMember(name, `${name}.example`, 5432, `http://${name}.example:8008`),
  state: "running",
  role: "standby",
  timeline: 2,
  position: END,
  receivedLsn: END,
  replayedLsn: END,
  replicationState: "streaming",
  ours: { agent: "0.1.0", hold: true, fence: true, heedsPause: true },
  ...change,
});

function worldOf(name: string, server: LocalServer): HaWorld {
  const leads = name === "n1";
  return {
    now: NOW,
    wallMs: WALL_MS,
    self: {
      name,
      host: `${name}.example`,
      port: 5432,
      apiUrl: `http://${name}.example:8008`,
      tags: DEFAULT_TAGS,
      watchdog: "automatic",
      agentVersion: "0.1.0",
      startedAt: after(NOW, -600_000),
    },
    store: known(clusterLedByN1(), NOW),
    storeChanged: false,
    contact: { heardAt: NOW, everybodySilent: false },
    promisedTerm: undefined,
    config: DEFAULT_CONFIG,
    server,
    plan: { parameters: {}, pgHba: [], pgIdent: [], members: 10 },
    lease: {
      leaseId: leaseIdOf(name),
      held: leads ? { term: TERM, validUntil: after(NOW, 5_000) } : undefined,
      grantor: "store",
      acquireUnknownSince: undefined,
      renewedAt: leads ? after(NOW, -1_000) : undefined,
    },
    promised: undefined,
    remote: undefined,
    stranger: undefined,
    fence: {
      alive: true,
      armed: leads ? { term: TERM, until: after(NOW, 5_000) } : undefined,
      unguarded: undefined,
      leaseId: leaseIdOf(name),
      serverPid: 42,
      acknowledgedAt: after(NOW, -1_000),
      roundTripMs: 1,
      lacking: [],
      watchdog: "absent",
    },
    holdSeen: { revision: 500, seenAt: after(NOW, -1_000) },
    peers: {},
    job: undefined,
    outcomes: {},
    requests: NO_REQUESTS,
    bootstrapping: false,
    claimed: false,
    memory: {
      ...EMPTY_MEMORY,
      roster: { ...EMPTY_MEMORY.roster, confirmed: ROSTER, revision: 300, isOwn: true },
    },
  };
}

const clusterLedByN1 = (): ClusterSnapshot => ({
  header: { clusterId: "c", revision: 600, raftTerm: 3 },
  initialize: { value: SYSTEM_ID, modRevision: 1 },
  config: { value: DEFAULT_CONFIG, modRevision: 2 },
  configWarnings: [],
  leader: { name: "n1", term: TERM, leaseId: leaseIdOf("n1") },
  hold: {
    holder: "n1",
    term: TERM,
    seq: 17,
    holdMs: 8_000,
    released: undefined,
    modRevision: 500,
  },
  members: [
    member("n1", { role: "primary", replicationState: undefined }),
    member("n2"),
    member("n3"),
  ],
  failover: { value: undefined, modRevision: 0 },
  status: { value: STATUS, modRevision: 400 },
  history: {
    value: [{ timeline: 1, lsn: FORK, reason: "", at: undefined, newLeader: "n1" }],
    modRevision: 120,
  },
  lineage: { value: LINEAGE, modRevision: 110 },
  sync: { value: undefined, modRevision: 0 },
  roster: { value: ROSTER, modRevision: 300 },
  routers: [],
  unguarded: { value: undefined, modRevision: 0 },
  succession: { value: undefined, modRevision: 0 },
});

const sqlOfPrimary: SqlState = {
  version: 150_004,
  inRecovery: false,
  walLevel: "logical",
  timeline: 2,
  position: END,
  receivedLsn: undefined,
  replayedLsn: undefined,
  replayedAtText: undefined,
  exhausted: true,
  replayPaused: false,
  walReceiver: undefined,
  senders: [],
  syncNames: "",
  slots: [slot("n2"), slot("n3")],
  slotLimitBytes: 8 * 1024 ** 3,
  pendingRestart: [],
  startedAtText: "2026-11-22 23:00:00+00",
  sharedSinceText: "2026-11-22 23:00:01+00",
  upstream: undefined,
};

const primaryServer = (): LocalServer => ({
  directory: "data",
  control: control("in production"),
  process: {
    kind: "running",
    pid: 42,
    accepting: "yes",
    guarded: true,
    startedAt: after(NOW, -500_000),
  },
  sql: known(sqlOfPrimary, NOW),
  lineage: LINEAGE,
  standbySignal: false,
  settingsStale: false,
  syncNames: { kind: "unmanaged" },
  binariesChanged: false,
  diskFreeBytes: 10 * 1024 ** 3,
  diskBytes: 40 * 1024 ** 3,
  ownSlots: ["n2", "n3"],
});

const standbyServer = (): LocalServer => ({
  ...primaryServer(),
  control: control("in archive recovery"),
  standbySignal: true,
  ownSlots: ["n1", "n3"],
  sql: known(
    {
      ...sqlOfPrimary,
      inRecovery: true,
      receivedLsn: END,
      replayedLsn: END,
      walReceiver: {
        status: "streaming",
        host: "n1.example",
        port: 5432,
        slot: "n2",
        flushedLsn: END,
        timeline: 2,
      },
      slots: [slot("n1", { active: false }), slot("n3", { active: false })],
      upstream: "n1.example:5432",
    },
    NOW,
  ),
});

const control = (state: ControlData["state"], end?: Lsn): ControlData => ({
  systemId: SYSTEM_ID,
  catalogVersion: 202209061,
  state,
  timeline: 2,
  checkpointLsn: CHECKPOINT,
  checkpointEnd: end,
});

// ── the store ───────────────────────────────────────────────────────────────────────────────────
export const cluster =
  (change: (c: ClusterSnapshot) => Partial<ClusterSnapshot>): Change =>
  (w) =>
    w.store.kind === "known"
      ? { ...w, store: known({ ...w.store.value, ...change(w.store.value) }, w.store.at) }
      : w;

export const unread: Change = (w) => ({ ...w, store: unknown("no answer", NOW) });
export const anotherStore: Change = (w) => ({
  ...w,
  store: unknown("this is another store, or an older state of it", NOW),
  storeChanged: true,
});
export const emptyStore: Change = cluster(() => ({
  initialize: { value: undefined, modRevision: 0 },
  lineage: { value: [], modRevision: 0 },
  history: { value: [], modRevision: 0 },
  status: { value: { position: undefined, slots: {}, absentMs: {} }, modRevision: 0 },
  members: [],
}));

/** The last leader listed these as members that may race. */
export const listed = (...names: readonly string[]): Change =>
  cluster(() => ({
    roster: {
      value: Object.fromEntries(names.map((n) => [n, `http://${n}.example:8008`])),
      modRevision: 301,
    },
  }));
export const withoutLeader: Change = cluster(() => ({ leader: undefined }));
export const withoutHold: Change = (w) => ({
  ...cluster(() => ({ hold: undefined }))(w),
  holdSeen: undefined,
});

/** `name` holds the leader key of this term, has just renewed, and is one of ours. */
export const heldBy =
  (name: string, term: number, leaseId: string = leaseIdOf(name)): Change =>
  (w) => ({
    ...cluster((c) => ({
      leader: { name, term, leaseId },
      hold: { ...holdOf(c), holder: name, term, released: undefined, modRevision: term + 1 },
    }))(w),
    holdSeen: { revision: term + 1, seenAt: after(NOW, -500) },
  });

const holdOf = (c: ClusterSnapshot): Hold =>
  c.hold ?? {
    holder: "n1",
    term: TERM,
    seq: 0,
    holdMs: 8_000,
    released: undefined,
    modRevision: 500,
  };

/** The hold in the store has stood still for so long on this node's clock. */
export const holdSilentFor =
  (ms: Ms): Change =>
  (w) => ({
    ...w,
    holdSeen:
      w.store.kind === "known" && w.store.value.hold !== undefined
        ? { revision: w.store.value.hold.modRevision, seenAt: after(NOW, -ms) }
        : w.holdSeen,
  });

/** `holder` gave up its lease so long ago, as this node saw it. */
export const released =
  (release: Release, { ago, holder = "n1" }: { ago: Ms; holder?: string }): Change =>
  (w) =>
    holdSilentFor(ago)(
      cluster((c) => ({
        leader: undefined,
        hold: { ...holdOf(c), holder, released: release, modRevision: 510 },
      }))(w),
    );

/** n2 has become the primary of term 200 on timeline 3. */
export const ledByN2: Change = (w) =>
  cluster((c) => ({
    members: c.members.map((m) =>
      m.name === "n2" ? { ...m, role: "primary", timeline: 3 } : { ...m, role: "standby" },
    ),
    lineage: { value: [...LINEAGE, BRANCH_3], modRevision: 210 },
  }))(heldBy("n2", 200)(w));

export const memberIs =
  (name: string, change: Partial<Member>): Change =>
  (w) =>
    cluster((c) => ({
      members: c.members.map((m) => (m.name === name ? { ...m, ...change } : m)),
    }))(w);

export const branches =
  (...all: Lineage): Change =>
  (w) =>
    cluster(() => ({ lineage: { value: all, modRevision: 300 } }))(w);

export const published =
  (position: Lsn): Change =>
  (w) =>
    cluster((c) => ({ status: { value: { ...c.status.value, position }, modRevision: 401 } }))(w);

/** What a person asked for in the store. */
export const intent =
  (change: Partial<FailoverIntent>): Change =>
  (w) =>
    cluster(() => ({
      failover: {
        value: {
          leader: undefined,
          candidate: undefined,
          scheduledAt: undefined,
          scheduledAtMs: undefined,
          ...change,
        },
        modRevision: 450,
      },
    }))(w);

export const config =
  (change: Partial<DynamicConfig>): Change =>
  (w) => ({ ...w, config: { ...w.config, ...change } });
export const paused: Change = config({ paused: true });

// ── the lease and the fence ─────────────────────────────────────────────────────────────────────
/** Held, believed for `leftMs` more, and the fence knows. */
export const withLease =
  (term: number, leftMs: Ms = 5_000): Change =>
  (w) => {
    const validUntil = after(NOW, leftMs);
    return {
      ...w,
      lease: { ...w.lease, held: { term, validUntil }, renewedAt: NOW },
      fence: { ...w.fence, armed: { term, until: validUntil } },
    };
  };
export const withoutLease: Change = (w) => ({ ...w, lease: { ...w.lease, held: undefined } });
/** All rivals together granted the last extension (R28). */
export const byPeers: Change = (w) => ({ ...w, lease: { ...w.lease, grantor: "peers" } });
/** This member has promised n1 not to race for `leftMs` more. */
export const promised =
  (leftMs: Ms = 5_000): Change =>
  (w) => ({
    ...w,
    promised: {
      grantee: "n1",
      term: TERM,
      durationMs: 8_000,
      writtenAt: after(NOW, leftMs - 8_080),
      until: after(NOW, leftMs),
    },
  });
export const acquireUnknown =
  (agoMs: Ms): Change =>
  (w) => ({ ...w, lease: { ...w.lease, acquireUnknownSince: after(NOW, -agoMs) } });
export const armed =
  (term: number, leftMs: Ms): Change =>
  (w) => ({ ...w, fence: { ...w.fence, armed: { term, until: after(NOW, leftMs) } } });
export const unarmed: Change = (w) => ({ ...w, fence: { ...w.fence, armed: undefined } });
/** A watchdog is required, and that is how it is. */
export const watchdogIs =
  (watchdog: HaWorld["fence"]["watchdog"]): Change =>
  (w) => ({
    ...w,
    self: { ...w.self, watchdog: "required" },
    fence: { ...w.fence, watchdog },
  });
export const fenceDead: Change = (w) => ({
  ...w,
  fence: { ...w.fence, alive: false, armed: undefined },
});

// ── the own server ──────────────────────────────────────────────────────────────────────────────
export const server =
  (change: Partial<LocalServer>): Change =>
  (w) => ({ ...w, server: { ...w.server, ...change } });

export const sql =
  (change: Partial<SqlState>): Change =>
  (w) =>
    w.server.sql.kind === "known"
      ? server({ sql: known({ ...w.server.sql.value, ...change }, NOW) })(w)
      : w;

export const silentSql: Change = server({ sql: unknown("no answer in time", NOW) });

const notRunning = { sql: unknown<SqlState>("the server is down", NOW) };
/** Died: the control file still says what it said. */
export const crashed: Change = server({ ...notRunning, process: { kind: "down" } });
/** A primary that was stopped cleanly, with all its WAL ending at `end`. */
export const stoppedAt = (end: Lsn): Change =>
  server({ ...notRunning, process: { kind: "down" }, control: control("shut down", end) });
export const stoppedInRecovery: Change = server({
  ...notRunning,
  process: { kind: "down" },
  control: control("shut down in recovery"),
});
export const orphaned: Change = server({ ...notRunning, process: { kind: "orphans", count: 3 } });

const running =
  (change: Partial<{ accepting: Accepting; guarded: boolean; startedAt: typeof NOW }>): Change =>
  (w) => {
    const { process } = w.server;
    return process.kind === "running" ? server({ process: { ...process, ...change } })(w) : w;
  };
export const accepting =
  (how: Accepting): Change =>
  (w) =>
    (how === "yes" ? (x: HaWorld) => x : silentSql)(running({ accepting: how })(w));
export const stray: Change = running({ guarded: false });
export const startedAgo = (ms: Ms): Change => running({ startedAt: after(NOW, -ms) });

/** The server runs as a primary, whatever the store thinks. */
export const asPrimary: Change = server({ ...primaryServer() });
export const asStandby: Change = server({ ...standbyServer() });
/** Streams from nobody: the old primary is gone. */
export const detached: Change = sql({ walReceiver: undefined, upstream: undefined });
export const noData = (directory: DirectoryState): Change =>
  server({
    ...notRunning,
    directory,
    process: { kind: "down" },
    control: undefined,
    lineage: [],
    standbySignal: false,
  });
export const foreignSystem: Change = (w) =>
  server({ control: { ...control("in production"), systemId: "7999999999999999999" } })(w);

// ── the others ──────────────────────────────────────────────────────────────────────────────────
/** What a healthy standby that has every byte answers. */
export const peerStatus = (name: string, change: Partial<PeerStatus> = {}): PeerStatus => ({
  name,
  role: "standby",
  state: "running",
  position: END,
  timeline: 2,
  lineage: LINEAGE,
  tags: DEFAULT_TAGS,
  unfit: undefined,
  watchdogFailed: false,
  promisedTerm: undefined,
  ...change,
});
export const peerSays =
  (name: string, change: Partial<PeerStatus> = {}): Change =>
  (w) => ({ ...w, peers: { ...w.peers, [name]: known(peerStatus(name, change), NOW) } });
export const peerSilent =
  (name: string): Change =>
  (w) => ({ ...w, peers: { ...w.peers, [name]: unknown("no answer in 500 ms", NOW) } });
export const tags = (change: Partial<Tags>): Tags => ({ ...DEFAULT_TAGS, ...change });
export const tagged =
  (change: Partial<Tags>): Change =>
  (w) => ({ ...w, self: { ...w.self, tags: tags(change) } });

// ── what was asked, done and learnt ─────────────────────────────────────────────────────────────
export const asked =
  (change: Partial<Requests>): Change =>
  (w) => ({ ...w, requests: { ...w.requests, ...change } });
export const askedToRestart: Change = asked({ restart: { at: after(NOW, -100) } });
export const askedToReinitialise: Change = asked({ reinitialise: { at: after(NOW, -100) } });

export const jobOf =
  (
    step: HaStep,
    { agoMs = 1_000, ...change }: Partial<Job<HaStep>> & { agoMs?: Ms } = {},
  ): Change =>
  (w) => ({
    ...w,
    job: {
      step,
      startedAt: after(NOW, -agoMs),
      progress: undefined,
      cancelled: false,
      ...change,
    },
  });

export const outcome =
  (
    kind: HaStep["kind"],
    { agoMs = 10, ...change }: Partial<Outcome> & { agoMs?: Ms } = {},
  ): Change =>
  (w) => ({
    ...w,
    outcomes: {
      ...w.outcomes,
      [kind]: {
        at: after(NOW, -agoMs),
        ok: true,
        code: undefined,
        why: undefined,
        result: undefined,
        ...change,
      },
    },
  });
export const failed = (kind: HaStep["kind"], code: string, agoMs: Ms = 10): Change =>
  outcome(kind, { agoMs, ok: false, code, why: `failed with ${code}` });

export const remembering =
  (change: Partial<HaMemory>): Change =>
  (w) => ({ ...w, memory: { ...w.memory, ...change } });
export const bootstrapping: Change = (w) => ({ ...w, bootstrapping: true });
export const claimed: Change = (w) => ({
  ...outcome("claim-bootstrap", { agoMs: 5_000, result: true })(w),
  claimed: true,
});

/** Time goes on: the world as it is `ms` later when nothing else has changed. */
export const later =
  (ms: Ms): Change =>
  (w) => ({ ...w, now: after(w.now, ms), wallMs: w.wallMs + ms });
