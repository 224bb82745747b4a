// Does each check speak up for what it is there for, and for nothing else?
import { describe, expect, it } from "vitest";
import { CHECKS, CLUSTER_CHECKS, DOCTOR_CHECKS, examine } from "./examine.ts";
import type {
  DatabaseFacts,
  DatabaseInside,
  GroundFacts,
  HostFacts,
  KeepingFacts,
  NodeFacts,
  PoolTracesFrom,
  PostgresFacts,
  SecurityFacts,
  StoreEndpointFacts,
} from "./facts.ts";

const GB = 1024 ** 3;

const HOST: HostFacts = {
  memoryBytes: 16 * GB,
  memoryLimitBytes: undefined,
  swapBytes: 0,
  swappiness: 60,
  overcommitMemory: 2,
  transparentHugePages: "madvise",
  hugePagesFree: 0,
  isClockSynchronised: true,
  openFilesLimit: 65_536,
  oomScoreAdjustment: 0,
};
const DISK = { path: "/data", sizeBytes: 100 * GB, freeBytes: 50 * GB, freeFiles: 1e6, device: 1 };
const GROUND: GroundFacts = {
  isRunning: true,
  dataDir: "/data",
  holdsCluster: true,
  dataMajor: 17,
  dataMode: 0o700,
  programMajor: 17,
  programTrouble: "",
  disks: [DISK, { ...DISK, path: "/data/pg_wal", device: 2 }],
  takenAddresses: [],
};
const INSIDE: DatabaseInside = {
  tablesWithoutKey: [],
  unloggedTables: [],
  sequencesNearEnd: [],
  extensionsMissing: [],
  collationsChanged: [],
  invalidIndexes: [],
  pool: [],
};
const DATABASE: DatabaseFacts = {
  name: "app",
  frozenAge: 1e6,
  multixactAge: 1e6,
  collation: { recorded: "2.36", actual: "2.36" },
  inside: INSIDE,
  insideTrouble: "",
};
const POSTGRES: PostgresFacts = {
  version: 170_000,
  inRecovery: false,
  settings: {
    autovacuum: "on",
    data_checksums: "on",
    fsync: "on",
    full_page_writes: "on",
    track_counts: "on",
    wal_level: "logical",
    wal_log_hints: "off",
  },
  pendingRestart: [],
  sharedBuffersBytes: 4 * GB,
  workMemBytes: 4 * 1024 ** 2,
  connections: 10,
  maxConnections: 100,
  md5Roles: [],
  openHbaRules: [],
  hbaErrors: [],
  blocking: [],
  idleInTransaction: undefined,
  longestTransaction: undefined,
  preparedTransactions: undefined,
  archiver: { isFailing: false, lastFailed: "", failedForSeconds: 0 },
  databases: [DATABASE],
  databasesLeftOut: 0,
};
const ENDPOINT: StoreEndpointFacts = {
  endpoint: "https://10.0.0.1:2379",
  isEncrypted: true,
  trouble: "",
  latencyMs: 2,
  version: "3.5.16",
  sizeBytes: 1e6,
  usedBytes: 1e6,
  hasLeader: true,
  members: 3,
  alarms: [],
};
const SECURITY: SecurityFacts = {
  looseFiles: [],
  restHasPassword: true,
  restIsEncrypted: true,
  restIsLimited: false,
  restIsLocal: false,
  storeHasPassword: true,
};
const NODE: NodeFacts = {
  name: "n1",
  scope: "demo",
  wallMs: 1e12,
  clockAheadMs: 0,
  host: { kind: "seen", facts: HOST },
  ground: GROUND,
  postgres: { kind: "seen", facts: POSTGRES },
  store: [ENDPOINT, ENDPOINT, ENDPOINT],
  peers: [{ name: "n2", door: "rest", address: "10.0.0.2:8008", trouble: "", latencyMs: 1 }],
  security: SECURITY,
  backup: { isConfigured: true, repositories: ["near"] },
};
const DAY = 86_400_000;
const HELD = { name: "near", backups: 2, newestAtMs: 1e12 - DAY, verifiedAtMs: 1e12 - DAY };
const keeping = (change: Partial<KeepingFacts>): NodeFacts => ({
  ...NODE,
  keeping: { withoutRetention: [], isScheduled: true, held: [HELD], ...change },
});
const TRACES: PoolTracesFrom = {
  router: "r1",
  mode: "transaction",
  poolerVersion: "1.24.1",
  advisoryLocks: 0,
  temporaryTables: 0,
  listening: 0,
  settings: 0,
};

const host = (change: Partial<HostFacts>): NodeFacts => ({
  ...NODE,
  host: { kind: "seen", facts: { ...HOST, ...change } },
});
const ground = (change: Partial<GroundFacts>): NodeFacts => ({
  ...NODE,
  ground: { ...GROUND, ...change },
});
const server = (change: Partial<PostgresFacts>): NodeFacts => ({
  ...NODE,
  postgres: { kind: "seen", facts: { ...POSTGRES, ...change } },
});
const setting = (change: Readonly<Record<string, string>>): NodeFacts =>
  server({ settings: { ...POSTGRES.settings, ...change } });
const database = (change: Partial<DatabaseFacts>): NodeFacts =>
  server({ databases: [{ ...DATABASE, ...change }] });
const inside = (change: Partial<DatabaseInside>): NodeFacts =>
  database({ inside: { ...INSIDE, ...change } });
const endpoint = (change: Partial<StoreEndpointFacts>): NodeFacts => ({
  ...NODE,
  store: [{ ...ENDPOINT, ...change }, ENDPOINT, ENDPOINT],
});
const security = (change: Partial<SecurityFacts>): NodeFacts => ({
  ...NODE,
  security: { ...SECURITY, ...change },
});
const disks = (...free: readonly number[]): NodeFacts =>
  ground({ disks: free.map((freeBytes, device) => ({ ...DISK, device, freeBytes })) });

/** For each check facts that it is there for. */
const SICK: Readonly<Record<string, NodeFacts>> = {
  host_unread: { ...NODE, host: { kind: "unseen", why: "no /proc" } },
  host_overcommit: host({ overcommitMemory: 0 }),
  host_oom_victim: host({ oomScoreAdjustment: 300 }),
  host_transparent_huge_pages: host({ transparentHugePages: "always" }),
  host_huge_pages: {
    ...server({ sharedBuffersBytes: 16 * GB }),
    host: { kind: "seen", facts: { ...HOST, memoryBytes: 64 * GB } },
  },
  host_swappiness: host({ swapBytes: GB }),
  host_clock: host({ isClockSynchronised: false }),
  host_open_files: host({ openFilesLimit: 1_024 }),
  host_memory: host({ memoryLimitBytes: 6 * GB }),
  host_memory_of_sessions: server({ workMemBytes: GB }),
  ground_programs: ground({
    programMajor: undefined,
    programTrouble: "none",
    dataMajor: undefined,
  }),
  ground_version: ground({ programMajor: 16 }),
  ground_data_mode: ground({ dataMode: 0o755 }),
  ground_address_taken: ground({ takenAddresses: ["127.0.0.1:5432"] }),
  disk_almost_full: disks(GB, 50 * GB),
  disk_low: disks(10 * GB, 50 * GB),
  disk_files: ground({ disks: [{ ...DISK, freeFiles: 12 }] }),
  disk_shared_with_wal: ground({ disks: [DISK, DISK] }),
  postgres_unread: { ...NODE, postgres: { kind: "unseen", why: "refused" } },
  postgres_fsync: setting({ fsync: "off" }),
  postgres_full_page_writes: setting({ full_page_writes: "off" }),
  postgres_checksums: setting({ data_checksums: "off", wal_log_hints: "on" }),
  postgres_rewind: setting({ data_checksums: "off" }),
  postgres_wal_level: setting({ wal_level: "minimal" }),
  postgres_autovacuum: setting({ autovacuum: "off" }),
  postgres_wraparound_close: database({ frozenAge: 1.6e9 }),
  postgres_wraparound_ahead: database({ multixactAge: 6e8 }),
  postgres_collation: database({ collation: { recorded: "2.31", actual: "2.36" } }),
  postgres_unlogged: inside({ unloggedTables: ["public.cache"] }),
  postgres_prepared: server({ preparedTransactions: { seconds: 900, count: 1, who: "tx1" } }),
  postgres_blocking: server({
    blocking: [{ what: "VACUUM FULL", holds: "", forMs: 12_000, blocked: 3, blockedMs: 8_000 }],
  }),
  postgres_pending_restart: server({ pendingRestart: ["max_connections"] }),
  postgres_extension_missing: inside({ extensionsMissing: ["postgis"] }),
  postgres_invalid_index: inside({ invalidIndexes: ["i on t"] }),
  postgres_hba_errors: server({ hbaErrors: ["line 3: what"] }),
  postgres_databases_left_out: server({ databasesLeftOut: 3 }),
  store_silent: {
    ...NODE,
    store: [{ ...ENDPOINT, trouble: "ECONNREFUSED" }, { ...ENDPOINT, trouble: "x" }, ENDPOINT],
  },
  store_endpoint_silent: endpoint({ trouble: "ECONNREFUSED" }),
  store_no_leader: endpoint({ hasLeader: false }),
  store_one_endpoint: { ...NODE, store: [ENDPOINT] },
  store_members: { ...NODE, store: [1, 2].map(() => ({ ...ENDPOINT, members: 2 })) },
  store_slow: endpoint({ latencyMs: 400 }),
  store_alarm: endpoint({ alarms: ["NOSPACE of member 1"] }),
  store_large: endpoint({ sizeBytes: 1.9 * GB, usedBytes: 1.8 * GB }),
  store_fragmented: endpoint({ sizeBytes: GB, usedBytes: 1e6 }),
  store_versions: endpoint({ version: "3.4.23" }),
  network_unreachable: {
    ...NODE,
    peers: [
      { name: "n2", door: "rest", address: "10.0.0.2:1", trouble: "ECONNREFUSED", latencyMs: 0 },
    ],
  },
  network_slow: {
    ...NODE,
    peers: [{ name: "n2", door: "rest", address: "10.0.0.2:1", trouble: "", latencyMs: 80 }],
  },
  security_loose_file: security({ looseFiles: [{ path: "/etc/understudy.yml", mode: 0o644 }] }),
  security_rest_open: security({ restHasPassword: false }),
  security_rest_plain: security({ restIsEncrypted: false }),
  security_store_open: {
    ...security({ storeHasPassword: false }),
    store: [1, 2, 3].map(() => ({
      ...ENDPOINT,
      endpoint: "http://10.0.0.1:2379",
      isEncrypted: false,
    })),
  },
  security_md5: server({ md5Roles: ["olly"] }),
  security_hba_open: server({ openHbaRules: ["line 9: host all all 0.0.0.0/0 trust"] }),
  backup_none: { ...NODE, backup: { isConfigured: false, repositories: [] } },
  backup_archiving: server({
    archiver: { isFailing: true, lastFailed: "00…1", failedForSeconds: 9 },
  }),
  backup_old: keeping({ held: [{ ...HELD, newestAtMs: 1e12 - 9 * DAY }] }),
  backup_unverified: keeping({ held: [{ name: "near", backups: 2, newestAtMs: 1e12 }] }),
  backup_no_retention: keeping({ withoutRetention: ["far"] }),
  backup_no_schedule: keeping({ isScheduled: false }),
  pooler_mode: inside({ pool: [{ ...TRACES, listening: 1 }] }),
  pooler_prepared: inside({ pool: [{ ...TRACES, poolerVersion: "1.18.0" }] }),
  application_idle_in_transaction: server({
    idleInTransaction: { seconds: 400, count: 1, who: "psql of ann in app, pid 7" },
  }),
  application_long_transaction: server({
    longestTransaction: { seconds: 4_000, count: 1, who: "report of ann in app, pid 7" },
  }),
  application_connections: server({ connections: 90 }),
  application_no_primary_key: inside({ tablesWithoutKey: ["public.t"] }),
  application_sequence: inside({ sequencesNearEnd: ["public.s (95 %)"] }),
};

/** What cannot be had without the other. */
const ALSO: Readonly<Record<string, readonly string[]>> = {
  postgres_rewind: ["postgres_checksums"],
};

describe("the checks of one node", () => {
  it("have each a case here", () => {
    expect(Object.keys(SICK).toSorted()).toEqual(CHECKS.map(({ id }) => id).toSorted());
  });

  it("say nothing about a healthy node, nor about a router", () => {
    expect(examine([NODE])).toEqual([]);
    const { ground: _, ...rest } = NODE;
    expect(examine([{ ...rest, ground: undefined, postgres: undefined }])).toEqual([]);
  });

  it.each(Object.entries(SICK))("%s is found, and nothing else", (id, facts) => {
    const found = examine([facts]);
    expect(found.map((finding) => finding.id)).toEqual([...(ALSO[id] ?? []), id]);
    expect(found[0]?.found).not.toBe("");
    expect(found[0]?.nodes).toEqual(["n1"]);
  });

  it("say nothing about a server that is not there yet", () => {
    const facts = { ...ground({ isRunning: false, holdsCluster: false }), postgres: undefined };
    expect(examine([facts])).toEqual([]);
  });
});

describe("several nodes", () => {
  const other = (change: Partial<NodeFacts>): NodeFacts => ({ ...NODE, name: "n2", ...change });
  const drilled = (drill: NonNullable<NodeFacts["backup"]["drill"]>) =>
    other({ backup: { ...NODE.backup, drill } });
  const apart: Readonly<Record<string, NodeFacts>> = {
    backup_drill_old: drilled({ oldAfterMs: 1_000, lastPassedAtMs: NODE.wallMs - 1_001 }),
    backup_drill_failed: drilled({
      oldAfterMs: 1_000,
      lastPassedAtMs: NODE.wallMs - 999,
      last: {
        id: "20261127T082000Z-063dd4a5",
        outcome: "failed",
        begunAtMs: NODE.wallMs - 20,
        endedAtMs: NODE.wallMs - 10,
        repo: "near",
      },
    }),
    cluster_clocks: other({ clockAheadMs: 5_000 }),
    cluster_versions: other({
      postgres: { kind: "seen", facts: { ...POSTGRES, version: 170_001 } },
    }),
    cluster_collations: other({
      postgres: {
        kind: "seen",
        facts: {
          ...POSTGRES,
          databases: [{ ...DATABASE, collation: { recorded: "2.31", actual: "2.31" } }],
        },
      },
    }),
    cluster_settings: other({
      postgres: {
        kind: "seen",
        facts: { ...POSTGRES, settings: { ...POSTGRES.settings, wal_log_hints: "on" } },
      },
    }),
  };

  it("have each common check a case here", () => {
    expect(Object.keys(apart).toSorted()).toEqual(CLUSTER_CHECKS.map(({ id }) => id).toSorted());
  });

  it.each(Object.entries(apart))("%s compares them", (id, second) => {
    const found = examine([NODE, second]);
    expect(found.map((finding) => finding.id)).toEqual([id]);
    expect(found[0]?.nodes).toEqual(["n1", "n2"]);
  });

  it("one member's drill is enough for all, and one that never was is told of a single member too", () => {
    const never = drilled({ oldAfterMs: 1_000 });
    const recent = drilled({ oldAfterMs: 1_000, lastPassedAtMs: NODE.wallMs - 10 });
    expect(examine([never]).map(({ id, found }) => [id, found])).toEqual([
      ["backup_drill_old", "no backup was ever restored by a drill that passed"],
    ]);
    expect(examine([never, { ...recent, name: "n3" }])).toEqual([]);
  });

  it("one finding of all of them is told once, the worst first", () => {
    const sick = [NODE, other({})].map((node) => ({
      ...node,
      backup: { isConfigured: false, repositories: [] },
      security: { ...SECURITY, restHasPassword: false },
    }));
    const found = examine(sick);
    expect(found.map(({ id, nodes }) => [id, nodes])).toEqual([
      ["security_rest_open", ["n1", "n2"]],
      ["backup_none", ["n1", "n2"]],
    ]);
  });
});

it("names are unique and every check says what is wanted, why and what to do", () => {
  const ids = DOCTOR_CHECKS.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { wanted, why, fix } of DOCTOR_CHECKS) {
    for (const words of [wanted, why, fix]) expect(words.length).toBeGreaterThan(5);
  }
});
