// The Dcs over any Store: which part answers which call.
import type { DynamicConfig } from "../model/config.ts";
import { AppError } from "../model/error.ts";
import type { Ms } from "../model/time.ts";
import { printMember } from "../model/wire/member.ts";
import { printRouter } from "../model/wire/router.ts";
import type { Dcs } from "../ports/dcs.ts";
import type { Store } from "../ports/store.ts";
import { bootstrap } from "./bootstrap.ts";
import { eventOf } from "./events.ts";
import { holding } from "./holding.ts";
import { keysOf } from "./keys.ts";
import { records } from "./records.ts";
import { repopulating } from "./repopulating.ts";
import { SnapshotReader } from "./snapshot.ts";
import { taking } from "./taking.ts";
import { termsFrom } from "./terms.ts";

export interface DcsOptions {
  readonly store: Store;
  readonly namespace: string;
  readonly scope: string;
  /** What holds while the stored configuration is unusable, e.g. the last good one from disk (R44). */
  readonly lastGoodConfig?: DynamicConfig;
  /** What the store that we have accepted adds to its revisions to make a term of them (R31). */
  readonly termBase?: () => number;
}

/** How often a lease is granted anew when it ends between being found and being kept alive. */
const GRANT_ATTEMPTS = 3;

export function createDcs(options: DcsOptions): Dcs {
  const { store } = options;
  const keys = keysOf(options.namespace, options.scope);
  const reader = new SnapshotReader(keys);
  const terms = termsFrom(options.termBase ?? (() => 0));
  let lastGood = options.lastGoodConfig;

  async function ensureLease(leaseId: string, ttlMs: Ms, timeoutMs: Ms): Promise<Ms> {
    for (let attempt = 0; attempt < GRANT_ATTEMPTS; attempt += 1) {
      const granted = await store.grant(leaseId, ttlMs, { timeoutMs });
      if (granted !== "exists") return granted.ttlMs;
      const kept = await store.keepAlive(leaseId, { timeoutMs });
      if (kept !== "gone") return kept.ttlMs;
    }
    throw new AppError(
      "LEASE_LOST",
      "keep our lease in the store",
      "it ends as often as it is made",
    );
  }

  // oxlint-disable-next-line eslint/max-params -- the port's own shape
  async function publish(key: string, value: string, lease: string, timeoutMs: Ms): Promise<void> {
    const answer = await store.commit([], [{ kind: "put", key, value, lease }], { timeoutMs });
    // Without compares only one thing can stand in the way: the lease that the key shall hang on.
    if (!answer.succeeded) throw new AppError("LEASE_LOST", `publish ${key}`);
  }

  return {
    ...taking(store, keys, terms),
    ...holding(store, keys, terms),
    ...bootstrap(store, keys),
    ...records(store, keys, terms),
    ...repopulating(store, keys),
    ensureLease,

    async snapshot(timeoutMs) {
      const range = await store.range(keys.prefix, { timeoutMs });
      const snapshot = reader.read(range, lastGood);
      lastGood = snapshot.config.value ?? lastGood;
      return snapshot;
    },

    watch(onEvent, signal) {
      store.watch(
        keys.prefix,
        (events) => {
          for (const event of events) onEvent(eventOf(event, keys));
        },
        () => onEvent({ kind: "gap" }),
        signal,
      );
    },

    async keepAlive(leaseId, timeoutMs) {
      return (await store.keepAlive(leaseId, { timeoutMs })) === "gone" ? "gone" : "alive";
    },

    publishMember: (member, leaseId, timeoutMs) =>
      publish(keys.member(member.name), printMember(member), leaseId, timeoutMs),
    publishRouter: (status, leaseId, timeoutMs) =>
      publish(keys.router(status.name), printRouter(status), leaseId, timeoutMs),
    async withdrawRouter(name, leaseId, timeoutMs) {
      const key = keys.router(name);
      const compares = [{ key, target: "lease", equals: leaseId }] as const;
      const answer = await store.commit(compares, [{ kind: "delete", key }], { timeoutMs });
      return answer.succeeded ? "written" : "refused";
    },
  };
}
