// What is wrong with these nodes, and with them together? Pure: facts in, findings out.
import { printSpan } from "../amounts.ts";
import { type Check, type ClusterCheck, type Diagnosis, worstFirst } from "./check.ts";
import { APPLICATION_CHECKS, POOLER_CHECKS } from "./checks-application.ts";
import { BACKUP_CHECKS, NETWORK_CHECKS, SECURITY_CHECKS, STORE_CHECKS } from "./checks-around.ts";
import { DRILL_CHECKS } from "./checks-drill.ts";
import { GROUND_CHECKS, HOST_CHECKS } from "./checks-host.ts";
import { KEEPING_CHECKS } from "./checks-keeping.ts";
import { POSTGRES_CHECKS } from "./checks-postgres.ts";
import type { NodeFacts } from "./facts.ts";

/** Every question to one node, in the order of the reference. */
export const CHECKS: readonly Check[] = [
  ...HOST_CHECKS,
  ...GROUND_CHECKS,
  ...POSTGRES_CHECKS,
  ...STORE_CHECKS,
  ...NETWORK_CHECKS,
  ...SECURITY_CHECKS,
  ...BACKUP_CHECKS,
  ...KEEPING_CHECKS,
  ...POOLER_CHECKS,
  ...APPLICATION_CHECKS,
];

/** Found by whoever asked, when a node could not be looked at. */
export const NODE_SILENT = {
  id: "node_silent",
  group: "host",
  severity: "critical",
  wanted: "an agent that answers",
  why: "this member cannot take over, as far as anybody can see from here",
  fix: "start its agent; see understudy status",
} as const satisfies Omit<Check, "found">;

const CLOCK_APART_MS = 1_000;
/** What the data is protected by: a promotion must not change it. */
const SAME_EVERYWHERE = ["data_checksums", "wal_log_hints", "fsync", "full_page_writes"] as const;

export const CLUSTER_CHECKS: readonly ClusterCheck[] = [
  {
    id: "cluster_clocks",
    group: "host",
    severity: "warning",
    wanted: "clocks less than a second apart",
    why: "the order of events in logs of several hosts is wrong, and restores to a moment miss it",
    fix: "run chrony or systemd-timesyncd on every host",
    found: (nodes) => {
      const sorted = nodes.toSorted((a, b) => a.clockAheadMs - b.clockAheadMs);
      const [first, last] = [sorted[0], sorted.at(-1)];
      if (first === undefined || last === undefined) return [];
      const apart = last.clockAheadMs - first.clockAheadMs;
      if (apart < CLOCK_APART_MS) return [];
      return [`${last.name} is ${printSpan(apart)} ahead of ${first.name}`];
    },
  },
  {
    id: "cluster_versions",
    group: "postgres",
    severity: "notice",
    wanted: "one minor version on all members",
    why: "a repair of the newer one is missing on the others, and a failover brings the bug back",
    fix: "install the newest minor version everywhere, then understudy restart",
    found: (nodes) => differing(nodes, "version", (server) => String(server.version)),
  },
  {
    id: "cluster_collations",
    group: "postgres",
    severity: "critical",
    wanted: "one version of the locale on all members",
    why: "indexes that one host built are wrong on the other: a failover breaks every index on text",
    fix: "give all hosts the same release of the system, then REINDEX what holds text",
    found: (nodes) =>
      differing(nodes, "locale", ({ databases }) =>
        [...new Set(databases.flatMap(({ collation }) => collation?.actual ?? []))]
          .toSorted()
          .join(),
      ),
  },
  {
    id: "cluster_settings",
    group: "postgres",
    severity: "warning",
    wanted: "the same protection on all members",
    why: "a failover changes silently what the data is protected by",
    fix: "set them for the whole cluster with understudy config",
    found: (nodes) =>
      SAME_EVERYWHERE.flatMap((name) => differing(nodes, name, (s) => s.settings[name] ?? "")),
  },
  ...DRILL_CHECKS,
];

/** What a code of the doctor's stands for; what is found differs each time. */
export const DOCTOR_CHECKS: readonly Omit<Check, "found">[] = [
  ...CHECKS,
  ...CLUSTER_CHECKS,
  NODE_SILENT,
];

type Server = Extract<NonNullable<NodeFacts["postgres"]>, { kind: "seen" }>["facts"];

/** One sentence when the servers do not agree. */
function differing(
  nodes: readonly NodeFacts[],
  what: string,
  valueOf: (server: Server) => string,
): readonly string[] {
  const values = nodes.flatMap(({ name, postgres }) =>
    postgres?.kind === "seen" ? [{ name, value: valueOf(postgres.facts) }] : [],
  );
  if (new Set(values.map(({ value }) => value)).size < 2) return [];
  return [`${what}: ${values.map(({ name, value }) => `${name} ${value || "none"}`).join(", ")}`];
}

/**
 * All findings, the worst first. What several nodes found in the same words, as with a store that all of them ask, is one
 * finding.
 */
export function examine(nodes: readonly NodeFacts[]): readonly Diagnosis[] {
  const found = new Map<string, Diagnosis>();
  for (const node of nodes) {
    for (const { found: judge, ...check } of CHECKS) {
      for (const words of judge(node)) {
        const key = `${check.id} ${words}`;
        const before = found.get(key)?.nodes ?? [];
        found.set(key, { ...check, found: words, nodes: [...before, node.name] });
      }
    }
  }
  const names = nodes.map(({ name }) => name);
  // One node has nothing to be compared with; what all of them know together it may know alone.
  const together = nodes.length < 2 ? DRILL_CHECKS : CLUSTER_CHECKS;
  const common = together.flatMap(({ found: judge, ...check }) =>
    judge(nodes).map((words) => ({ ...check, found: words, nodes: names })),
  );
  return worstFirst([...found.values(), ...common]);
}
