// What does a node know from its earlier lives, and what does it write down for the next one?
import type { ClusterSnapshot } from "../model/cluster.ts";
import { DEFAULT_CONFIG, type DynamicConfig } from "../model/config.ts";
import { recordOf, type StoreRecord } from "../model/store-record.ts";
import { parseConfig } from "../model/wire/config.ts";
import type { NodeState } from "../ports/node-state.ts";
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
export function rememberedConfig(ports: Pick<NodePorts, "state">, first: Written): DynamicConfig {
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

const NOTHING_TO_WRITE = Promise.resolve();

/** R31, R44: kept beside the data, but not with a disk write at every look. */
export class StoreNotes {
  readonly #ports: NodePorts;
  #printed: { readonly config: DynamicConfig; readonly text: string } | undefined;

  constructor(ports: NodePorts) {
    this.#ports = ports;
  }

  /** Resolves when the disk says it, or could not be written. */
  saw(cluster: ClusterSnapshot, config: DynamicConfig): Promise<void> {
    const { store, config: stored } = this.#ports.state.current();
    const text = cluster.config.value === undefined ? stored : this.#print(config);
    const record = recordOf(cluster, store);
    const isFar = record.revision - (store?.revision ?? 0) >= REVISION_STEP;
    const isSame = store !== undefined && isSameRecord(store, record);
    if (!isFar && isSame && text === stored) return NOTHING_TO_WRITE;
    const change = text === undefined ? {} : { config: text };
    return this.#write({ store: record, ...change });
  }

  async #write(change: Partial<NodeState>): Promise<void> {
    const { state, log } = this.#ports;
    try {
      await state.update(change);
    } catch (error) {
      log.warn("the state beside the data could not be written", { error: String(error) });
    }
  }

  /** A configuration stays the same value for as long as its text does, and is asked for at every look. */
  #print(config: DynamicConfig): string {
    if (this.#printed?.config === config) return this.#printed.text;
    const text = JSON.stringify(config.raw);
    this.#printed = { config, text };
    return text;
  }
}
