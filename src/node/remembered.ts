// What does a node know from its earlier lives, and what does it write down for the next one?
import type { ClusterSnapshot } from "../model/cluster.ts";
import { DEFAULT_CONFIG, type DynamicConfig } from "../model/config.ts";
import { recordOf, type StoreRecord } from "../model/store-record.ts";
import { parseConfig } from "../model/wire/config.ts";
import type { NodePorts } from "./node.ts";

type Written = Readonly<Record<string, unknown>>;

/** Revisions are noted only this often: the record is a lower bound, not a diary. */
const REVISION_STEP = 200;

/** R10: chosen at random, durable, and told to the fence before its first use. */
export async function durableLeaseId(ports: NodePorts): Promise<string> {
  const known = ports.state.current().leaseId;
  if (known !== undefined) return known;
  const leaseId = ports.random.leaseId();
  await ports.state.update({ leaseId });
  return leaseId;
}

/** The last good configuration (R44); before there is one, what the node's own file would begin with. */
export function rememberedConfig(ports: NodePorts, first: Written): DynamicConfig {
  const text = ports.state.current().config;
  const parsed = parseConfig(text ?? first, { mode: "lenient" });
  return parsed.kind === "ok" ? parsed.config : DEFAULT_CONFIG;
}

/** The first configuration of a new cluster: effective values, so that nothing is implied later. */
export function firstConfig(written: Written): Written {
  const parsed = parseConfig(written, { mode: "lenient" });
  const c = parsed.kind === "ok" ? parsed.config : DEFAULT_CONFIG;
  return {
    ttl: c.ttlMs / 1000,
    loop_wait: c.loopWaitMs / 1000,
    retry_timeout: c.retryTimeoutMs / 1000,
    maximum_lag_on_failover: c.maximumLagOnFailover,
    check_timeline: c.checkTimeline,
    ...written,
  };
}

/** Everything but the revision, which changes all the time; the list is one object until it is read anew. */
const isSameRecord = (a: StoreRecord, b: StoreRecord): boolean =>
  a.clusterId === b.clusterId &&
  a.succession === b.succession &&
  a.systemId === b.systemId &&
  a.branchTerm === b.branchTerm &&
  a.leader?.name === b.leader?.name &&
  a.leader?.term === b.leader?.term &&
  a.members === b.members;

/** R31, R44: kept beside the data, but not with a disk write at every look. */
export async function rememberStore(
  ports: NodePorts,
  cluster: ClusterSnapshot,
  config: DynamicConfig,
): Promise<void> {
  const { store, config: stored } = ports.state.current();
  const text = cluster.config.value === undefined ? stored : JSON.stringify(config.raw);
  const record = recordOf(cluster, store);
  const isFar = record.revision - (store?.revision ?? 0) >= REVISION_STEP;
  const isSame = store !== undefined && isSameRecord(store, record);
  if (!isFar && isSame && text === stored) return;
  try {
    const change = text === undefined ? {} : { config: text };
    await ports.state.update({ store: record, ...change });
  } catch (error) {
    ports.log.warn("the state beside the data could not be written", { error: String(error) });
  }
}
