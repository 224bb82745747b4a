// Lies about the store, and about what was heard from others.
import { AppError } from "../model/error.ts";
import { unknown } from "../model/known.ts";
import { after, instant } from "../model/time.ts";
import type { NodePorts } from "../node/node.ts";
import type { KeyValue, Range, Store, Write } from "../ports/store.ts";
import { fenceWith } from "./mutants-fence.ts";
import { peersWith } from "./mutants-peers.ts";

export const isFor = (write: Write, key: string): boolean => write.key.endsWith(`/${key}`);
const STALE_MS = 8_000;

/** A store with some calls replaced; the rest goes to the real one. */
export function storeWith(store: Store, change: Partial<Store>): Store {
  return {
    range: (prefix, options) => store.range(prefix, options),
    commit: (compares, writes, options) => store.commit(compares, writes, options),
    grant: (leaseId, ttlMs, options) => store.grant(leaseId, ttlMs, options),
    keepAlive: (leaseId, options) => store.keepAlive(leaseId, options),
    watch: (prefix, onEvents, onGap, signal) => store.watch(prefix, onEvents, onGap, signal),
    ...change,
  };
}

/** A store of which is read what `change` makes of it. */
const readAs = (store: Store, change: (range: Range) => Range): Store =>
  storeWith(store, {
    range: async (prefix, options) => change(await store.range(prefix, options)),
  });

/** Unknown taken for no: an answer that never came is read as a refusal. */
export function unknownIsNo(ports: NodePorts): NodePorts {
  const { store } = ports;
  const header = { clusterId: "", revision: 0, raftTerm: 0 };
  return {
    ...ports,
    store: storeWith(store, {
      async commit(compares, writes, options) {
        try {
          return await store.commit(compares, writes, options);
        } catch (error) {
          if (error instanceof AppError && error.code.startsWith("STORE_UN"))
            return { succeeded: false, header };
          throw error;
        }
      },
    }),
  };
}

/** Release to anyone: neither heir nor position is named. */
export function releasesToAnyone(ports: NodePorts): NodePorts {
  const { store } = ports;
  const blur = (w: Write): Write =>
    w.kind === "put" && isFor(w, "hold") && w.value.includes('"released"')
      ? { ...w, value: w.value.replace(/"released":\{[^}]*\}/, '"released":{}') }
      : w;
  return {
    ...ports,
    store: storeWith(store, {
      commit: (compares, writes, options) => store.commit(compares, writes.map(blur), options),
    }),
  };
}

/** Rival trusts absence: no leader key is permission enough. */
export function trustsAbsence(ports: NodePorts): NodePorts {
  const { store } = ports;
  const blur = (range: Range): Range => {
    if (range.entries.some((kv) => kv.key.endsWith("/leader"))) return range;
    const entries = range.entries.map((kv): KeyValue => {
      if (!kv.key.endsWith("/hold") || kv.value.includes('"released"')) return kv;
      return { ...kv, value: kv.value.replace(/\}$/, ',"released":{}}') };
    });
    return { ...range, entries };
  };
  return { ...ports, store: readAs(store, blur) };
}

/** List not compared: who may race is neither read nor part of the acquire. */
export function ignoresTheList(ports: NodePorts): NodePorts {
  const { store } = ports;
  return {
    ...ports,
    store: storeWith(store, {
      range: async (prefix, options) => {
        const range = await store.range(prefix, options);
        return { ...range, entries: range.entries.filter((kv) => !kv.key.endsWith("/known")) };
      },
      commit: (compares, writes, options) =>
        store.commit(
          compares.filter((c) => !c.key.endsWith("/known")),
          writes,
          options,
        ),
    }),
  };
}

/** Stale watch trusted as contact: a renewal that failed counts while events of the watch still trickle in. */
export function trustsStaleWatch(ports: NodePorts): NodePorts {
  const { store, clock } = ports;
  let heardAt = Number.NEGATIVE_INFINITY;
  const header = { clusterId: "", revision: 0, raftTerm: 0 };
  const excused = async <T>(call: Promise<T>, instead: T): Promise<T> => {
    try {
      return await call;
    } catch (error) {
      if (clock.now() - heardAt < STALE_MS) return instead;
      throw error;
    }
  };
  return {
    ...ports,
    store: storeWith(store, {
      watch: (prefix, onEvents, onGap, signal) =>
        store.watch(
          prefix,
          (events) => {
            heardAt = clock.now();
            onEvents(events);
          },
          onGap,
          signal,
        ),
      keepAlive: (leaseId, options) =>
        excused(store.keepAlive(leaseId, options), { ttlMs: 10_000 }),
      commit: (compares, writes, options) => {
        const call = store.commit(compares, writes, options);
        const isRenewal = writes.length === 1 && writes.every((w) => isFor(w, "hold"));
        return isRenewal ? excused(call, { succeeded: true, header }) : call;
      },
    }),
  };
}

/** Anchor at the answer: the lease is counted from when the store's answer came, not from when the request left. */
export function anchorsAtAnswer(ports: NodePorts): NodePorts {
  const { store, clock, fence } = ports;
  let tookMs = 0;
  return {
    ...ports,
    store: storeWith(store, {
      async commit(compares, writes, options) {
        const sentAt = clock.now();
        const answer = await store.commit(compares, writes, options);
        if (writes.some((w) => isFor(w, "hold"))) tookMs = clock.now() - sentAt;
        return answer;
      },
    }),
    fence: fenceWith(fence, {
      arm: (term, until, signal) => {
        const isBelief = until > clock.now();
        return fence.arm(term, isBelief ? instant(after(until, tookMs)) : until, signal);
      },
    }),
  };
}

/** No re-check after winning: once the key says me, nobody is asked for a position any more. */
export function asksNobodyAfterWinning(ports: NodePorts): NodePorts {
  const { store, peers, clock } = ports;
  let leaseOfLeader = "";
  return {
    ...ports,
    store: storeWith(store, {
      async range(prefix, options) {
        const range = await store.range(prefix, options);
        leaseOfLeader = range.entries.find((kv) => kv.key.endsWith("/leader"))?.lease ?? "";
        return range;
      },
    }),
    peers: peersWith(peers, {
      ask: (apiUrl, timeoutMs) =>
        leaseOfLeader !== "" && leaseOfLeader === ports.state.current().leaseId
          ? Promise.resolve(unknown("not asked again", clock.now()))
          : peers.ask(apiUrl, timeoutMs),
    }),
  };
}

const LEADERS_OWN = ["hold", "status", "history", "lineage"];

/** Leader write without compare: what only the leader writes is written whoever leads by then. */
export function writesWithoutTerm(ports: NodePorts): NodePorts {
  const { store } = ports;
  const isLeaders = (writes: readonly Write[]): boolean =>
    writes.length === 1 && writes.every((w) => LEADERS_OWN.some((key) => isFor(w, key)));
  return {
    ...ports,
    store: storeWith(store, {
      commit: (compares, writes, options) =>
        store.commit(isLeaders(writes) ? [] : compares, writes, options),
    }),
  };
}

/** Any store trusted: whatever answers is taken for the store that was always there, at its newest. */
export function trustsAnyStore(ports: NodePorts): NodePorts {
  const { store, state } = ports;
  let newest = 0;
  return {
    ...ports,
    store: storeWith(store, {
      async range(prefix, options) {
        const range = await store.range(prefix, options);
        const { clusterId, revision } = state.current().store ?? range.header;
        newest = Math.max(newest, revision, range.header.revision);
        return { ...range, header: { ...range.header, clusterId, revision: newest } };
      },
    }),
  };
}

/** Silence never counts: each look takes the old sign of life for a new one. */
export function seesNoSilence(ports: NodePorts): NodePorts {
  const { store } = ports;
  let looks = 0;
  const refresh = (kv: KeyValue): KeyValue =>
    kv.key.endsWith("/hold") && !kv.value.includes('"released"')
      ? { ...kv, modRevision: kv.modRevision + ++looks }
      : kv;
  const blur = (range: Range): Range => ({ ...range, entries: range.entries.map(refresh) });
  return { ...ports, store: readAs(store, blur) };
}

/** A server that is coming up is taken for one that never will. */
export function forgetsWhoIsComing(ports: NodePorts): NodePorts {
  const { peers } = ports;
  return {
    ...ports,
    peers: peersWith(peers, {
      async ask(apiUrl, timeoutMs) {
        const answer = await peers.ask(apiUrl, timeoutMs);
        return answer.kind === "known" && answer.value.position === undefined
          ? { ...answer, value: { ...answer.value, state: "start failed" } }
          : answer;
      },
    }),
  };
}

/** Nobody is asked: the setting is read as if it were not there. */
export function asksNobody(ports: NodePorts): NodePorts {
  const { store } = ports;
  const forget = (kv: KeyValue): KeyValue =>
    kv.key.endsWith("/config")
      ? { ...kv, value: kv.value.replace('"failover":"ask"', '"x":1') }
      : kv;
  const blur = (range: Range): Range => ({ ...range, entries: range.entries.map(forget) });
  return { ...ports, store: readAs(store, blur) };
}
