// Lies about the other site.
import { known } from "../model/known.ts";
import { headOf } from "../model/timeline.ts";
import { isObject, parseJson, printJson } from "../model/wire/json.ts";
import type { NodePorts } from "../node/node.ts";
import type { KeyValue, Range } from "../ports/store.ts";
import type { SimHost } from "./host.ts";
import type { Mutant } from "./mutant.ts";
import { postgresWith } from "./mutants-postgres.ts";
import { storeWith } from "./mutants-store.ts";

/** Standby leader promotes: once it holds the lease, it no longer reads that its cluster follows anybody. */
function followsNobodyOnceItLeads(ports: NodePorts, host: SimHost): NodePorts {
  const { store } = ports;
  const isLeader = ({ key, value }: KeyValue): boolean =>
    key.endsWith("/leader") && value === host.name;
  const blind = (kv: KeyValue): KeyValue => {
    const config = kv.key.endsWith("/config") ? parseJson(kv.value) : undefined;
    if (!isObject(config)) return kv;
    const { standby_cluster: _, ...rest } = config;
    return { ...kv, value: printJson(rest) };
  };
  const range = async (...asked: Parameters<typeof store.range>): Promise<Range> => {
    const seen = await store.range(...asked);
    return seen.entries.some(isLeader) ? { ...seen, entries: seen.entries.map(blind) } : seen;
  };
  return { ...ports, store: storeWith(store, { range }) };
}

/** A stranger's server is not asked: nobody's takes writes (R35). */
function asksNoStranger(ports: NodePorts): NodePorts {
  const { postgres } = ports;
  const lookAtSite: typeof postgres.lookAtSite = async (site, timeoutMs) => {
    const seen = await postgres.lookAtSite(site, timeoutMs);
    return { ...seen, takesWrites: false };
  };
  return { ...ports, postgres: postgresWith(postgres, (server) => server, { lookAtSite }) };
}

/** A standby's server is on the timeline that its record says, whatever its WAL says. */
function trustsItsRecord(ports: NodePorts): NodePorts {
  const postgres = postgresWith(ports.postgres, (server) => {
    const { sql, lineage } = server;
    if (sql.kind !== "known" || !sql.value.inRecovery) return server;
    const timeline = headOf(lineage)?.timeline ?? sql.value.timeline;
    return { ...server, sql: known({ ...sql.value, timeline }, sql.at) };
  });
  return { ...ports, postgres };
}

export const SITE_MUTANTS: readonly Mutant[] = [
  {
    name: "standby-leader-promotes",
    flaws: { wrapPorts: followsNobodyOnceItLeads },
    breaks: ["S22"],
    story: "site-leader-dies",
  },
  {
    name: "stranger-not-asked",
    flaws: { wrapPorts: asksNoStranger },
    breaks: ["S1"],
    story: "stranger-frozen",
  },
  {
    name: "record-of-its-timeline-believed",
    flaws: { wrapPorts: trustsItsRecord },
    breaks: ["S7"],
    story: "site-taken-back-at-once",
  },
];
