// The replicated state of the simulated store: keys, revisions, leases. Who may change it is decided elsewhere.

import type { StoreHeader } from "../model/cluster.ts";
import type { Compare, KeyValue, StoreEvent, Write } from "../ports/store.ts";

export interface SimLease {
  readonly id: string;
  readonly ttlMs: number;
  expiresAt: number;
}

export type Applied =
  | { readonly kind: "done"; readonly succeeded: boolean }
  | { readonly kind: "no-space" }
  | { readonly kind: "no-lease" };

export class StoreState {
  clusterId: string;
  revision = 1;
  raftTerm = 2;
  hasSpaceAlarm = false;
  keys = new Map<string, KeyValue>();
  leases = new Map<string, SimLease>();
  /** Changes since the last compaction, oldest first. */
  history: StoreEvent[] = [];
  compactedAt = 0;
  /** The keys in order, until one comes or goes. */
  #order: readonly string[] | undefined;
  /** What was read below a prefix, until something changes. */
  readonly #ranges = new Map<string, readonly KeyValue[]>();
  readonly #onChange: (events: readonly StoreEvent[]) => void;

  constructor(clusterId: string, onChange: (events: readonly StoreEvent[]) => void) {
    this.clusterId = clusterId;
    this.#onChange = onChange;
  }

  header(): StoreHeader {
    return { clusterId: this.clusterId, revision: this.revision, raftTerm: this.raftTerm };
  }

  range(prefix: string): readonly KeyValue[] {
    const known = this.#ranges.get(prefix);
    if (known !== undefined) return known;
    this.#order ??= [...this.keys.keys()].toSorted();
    const found: KeyValue[] = [];
    for (const key of this.#order) {
      const kv = key.startsWith(prefix) ? this.keys.get(key) : undefined;
      if (kv !== undefined) found.push(kv);
    }
    this.#ranges.set(prefix, found);
    return found;
  }

  commit(compares: readonly Compare[], writes: readonly Write[]): Applied {
    if (!compares.every((c) => this.#holds(c))) return { kind: "done", succeeded: false };
    if (this.hasSpaceAlarm && writes.some((w) => w.kind === "put")) return { kind: "no-space" };
    for (const w of writes) {
      if (
        w.kind === "put" &&
        w.lease !== undefined &&
        w.lease !== "0" &&
        !this.leases.has(w.lease)
      ) {
        return { kind: "no-lease" };
      }
    }
    this.#apply(writes);
    return { kind: "done", succeeded: true };
  }

  revoke(leaseId: string): void {
    this.leases.delete(leaseId);
    const hanging = [...this.keys.values()].filter((kv) => kv.lease === leaseId);
    this.#apply(hanging.map((kv) => ({ kind: "delete", key: kv.key })));
  }

  #holds(c: Compare): boolean {
    const kv = this.keys.get(c.key);
    switch (c.target) {
      case "create":
        return (kv?.createRevision ?? 0) === c.equals;
      case "mod":
        return (kv?.modRevision ?? 0) === c.equals;
      case "lease":
        return (kv?.lease ?? "0") === c.equals;
      case "value":
        return kv !== undefined && kv.value === c.equals;
      default:
        return c satisfies never;
    }
  }

  #apply(writes: readonly Write[]): void {
    const real = writes.filter((w) => w.kind === "put" || this.keys.has(w.key));
    if (real.length === 0) return;
    this.revision += 1;
    this.#ranges.clear();
    const events = real.map((w) => this.#write(w));
    this.history.push(...events);
    this.#onChange(events);
  }

  #write(w: Write): StoreEvent {
    const modRevision = this.revision;
    const old = this.keys.get(w.key);
    if (w.kind === "delete" || old === undefined) this.#order = undefined;
    if (w.kind === "delete") {
      this.keys.delete(w.key);
      return { key: w.key, value: undefined, createRevision: 0, modRevision };
    }
    const createRevision = old?.createRevision ?? modRevision;
    this.keys.set(w.key, {
      key: w.key,
      value: w.value,
      createRevision,
      modRevision,
      lease: w.lease ?? "0",
    });
    return { key: w.key, value: w.value, createRevision, modRevision };
  }

  /** Others share the store: its revision grows without a change of our keys. */
  othersWrite(times: number): void {
    this.revision += times;
  }

  /** Forgets the changes before now: a watch that resumes from further back learns of a gap. */
  compact(): void {
    this.compactedAt = this.revision;
    this.history = [];
  }

  /** Everything, to be put back later. */
  contents(): StoreContents {
    const { clusterId, revision } = this;
    return { clusterId, revision, keys: new Map(this.keys), leases: new Map(this.leases) };
  }

  /** Another store, or another time of this one: its leases begin anew, its watchers learn of a gap. */
  load(contents: StoreContents, now: number): void {
    this.clusterId = contents.clusterId;
    this.revision = contents.revision;
    this.keys = new Map(contents.keys);
    this.#order = undefined;
    this.#ranges.clear();
    this.leases = new Map(
      [...contents.leases].map(([id, l]) => [id, { ...l, expiresAt: now + l.ttlMs }] as const),
    );
    this.history = [];
    this.compactedAt = this.revision;
  }
}

export interface StoreContents {
  readonly clusterId: string;
  readonly revision: number;
  readonly keys: ReadonlyMap<string, KeyValue>;
  readonly leases: ReadonlyMap<string, SimLease>;
}

export const emptyContents = (clusterId: string): StoreContents => ({
  clusterId,
  revision: 1,
  keys: new Map(),
  leases: new Map(),
});
