// Lies about the lease: who keeps it, whose it is, and how long it lasts.
import { renewEveryMs, validUntil } from "../model/lease.ts";
import { after, instant } from "../model/time.ts";
import type { NodePorts } from "../node/node.ts";
import type { Compare, KeyValue, Range, Write } from "../ports/store.ts";
import { fenceWith } from "./mutants-fence.ts";
import { isFor, storeWith } from "./mutants-store.ts";

const LIMIT = { timeoutMs: 1_000 };
const holdMsIn = (hold: string): number => Number(/"holdMs":(\d+)/.exec(hold)?.[1] ?? 0);
const never = (): AbortSignal => new AbortController().signal;

/** Renew without vouch: a second keeper renews what was once won, whatever the HA loop thinks of it. */
export function renewsUnasked(ports: NodePorts): NodePorts {
  const { store, fence, clock } = ports;
  let term: number | undefined;
  const renew = async (hold: string, isMine: readonly Compare[]): Promise<void> => {
    const holdMs = holdMsIn(hold);
    const mine = term;
    await clock.sleep(renewEveryMs(holdMs));
    if (mine === undefined || term !== mine) return;
    const sentAt = clock.now();
    const value = hold.replace(/"term":\d+/, `"term":${mine}`);
    const key = isMine[0]?.key.replace(/leader$/, "hold") ?? "";
    const { succeeded } = await store.commit(isMine, [{ kind: "put", key, value }], LIMIT);
    if (!succeeded) return;
    await fence.arm(mine, validUntil(sentAt, holdMs), never());
    await renew(hold, isMine);
  };
  return {
    ...ports,
    store: storeWith(store, {
      async commit(compares, writes, options) {
        const isRelease = writes.some((w) => w.kind === "delete" && isFor(w, "leader"));
        if (isRelease) term = undefined;
        const answer = await store.commit(compares, writes, options);
        const leader = writes.find((w) => w.kind === "put" && isFor(w, "leader"));
        const hold = writes.find((w) => w.kind === "put" && isFor(w, "hold"));
        if (!answer.succeeded || leader?.kind !== "put" || hold?.kind !== "put") return answer;
        term = answer.header.revision;
        const isMine = [{ key: leader.key, target: "create", equals: term }] as const;
        renew(hold.value, isMine).catch(() => undefined);
        return answer;
      },
    }),
  };
}

/** Two agents of one name: a leader key that bears my name is mine, whatever lease it hangs on. */
export function ownsByName(ports: NodePorts): NodePorts {
  const { store, state, fence, clock } = ports;
  let found: { readonly term: number; readonly holdMs: number } | undefined;
  const claim = (kv: KeyValue): KeyValue => {
    const lease = state.current().leaseId ?? kv.lease;
    return kv.key.endsWith("/leader") ? { ...kv, lease } : kv;
  };
  const learn = (range: Range): Range => {
    const leader = range.entries.find((kv) => kv.key.endsWith("/leader"));
    const hold = range.entries.find((kv) => kv.key.endsWith("/hold"));
    found = leader && hold && { term: leader.createRevision, holdMs: holdMsIn(hold.value) };
    return { ...range, entries: range.entries.map(claim) };
  };
  return {
    ...ports,
    store: storeWith(store, {
      range: async (prefix, options) => learn(await store.range(prefix, options)),
      commit: (compares, writes, options) =>
        store.commit(
          compares.filter((c) => c.target !== "lease"),
          writes,
          options,
        ),
    }),
    fence: fenceWith(fence, {
      status() {
        const status = fence.status();
        if (found === undefined) return status;
        const until = after(clock.now(), found.holdMs);
        const armed = status.armed ?? { term: found.term, until };
        return { ...status, armed, leaseId: state.current().leaseId };
      },
    }),
  };
}

/** Instants cross: a hold says until when it lasts on its writer's clock, and its readers take that for their own. */
export function sharesInstants(ports: NodePorts): NodePorts {
  const { store, clock } = ports;
  const swap = (hold: string, to: (ms: number) => number): string =>
    hold.replace(/"holdMs":\d+/, `"holdMs":${Math.round(Math.max(1, to(holdMsIn(hold))))}`);
  const write = (w: Write): Write =>
    w.kind === "put" && isFor(w, "hold")
      ? { ...w, value: swap(w.value, (ms) => clock.now() + ms) }
      : w;
  const read = (kv: KeyValue): KeyValue =>
    kv.key.endsWith("/hold") ? { ...kv, value: swap(kv.value, (at) => at - clock.now()) } : kv;
  return {
    ...ports,
    store: storeWith(store, {
      async range(prefix, options) {
        const range = await store.range(prefix, options);
        return { ...range, entries: range.entries.map(read) };
      },
      commit: (compares, writes, options) => store.commit(compares, writes.map(write), options),
    }),
  };
}

/** Armed before confirmed: the fence is put off as soon as a renewal leaves, answered or not. */
export function armsBeforeConfirmed(ports: NodePorts): NodePorts {
  const { store, fence, clock } = ports;
  return {
    ...ports,
    store: storeWith(store, {
      async commit(compares, writes, options) {
        const hold = writes.find((w) => w.kind === "put" && isFor(w, "hold"));
        const term = hold?.kind === "put" ? Number(/"term":(\d+)/.exec(hold.value)?.[1]) : 0;
        const isRenewal = writes.length === 1 && hold?.kind === "put" && term > 0;
        if (isRenewal) {
          const until = validUntil(instant(clock.now()), holdMsIn(hold.value));
          await fence.arm(term, until, never()).catch(() => undefined);
        }
        return store.commit(compares, writes, options);
      },
    }),
  };
}

const SOON_MS = 500;
const LONG_MS = 10_000;

/** Kept by its beat alone: nothing keeps the lease in the store alive when the leadership has just been given up. */
export function keepsNoLeaseAfterRelease(ports: NodePorts): NodePorts {
  const { store, clock } = ports;
  let releasedAt = Number.NEGATIVE_INFINITY;
  return {
    ...ports,
    store: storeWith(store, {
      commit(compares, writes, options) {
        if (writes.some((w) => w.kind === "delete" && isFor(w, "leader"))) releasedAt = clock.now();
        return store.commit(compares, writes, options);
      },
      keepAlive: (leaseId, options) =>
        clock.now() - releasedAt < SOON_MS
          ? Promise.resolve({ ttlMs: LONG_MS })
          : store.keepAlive(leaseId, options),
    }),
  };
}
