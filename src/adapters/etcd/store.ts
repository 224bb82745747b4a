// The Store over etcd's JSON gateway.

import type { StoreHeader } from "../../model/cluster.ts";
import { AppError } from "../../model/error.ts";
import type { Credentials } from "../../model/settings.ts";
import { after, between, seconds } from "../../model/time.ts";
import type { JsonObject } from "../../model/wire/json.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { CallOptions, Range, Store } from "../../ports/store.ts";
import { CODE } from "./answer.ts";
import { keyValueIn, listIn, numberIn, rangeOf, transactionBody } from "./encode.ts";
import type { TlsTexts } from "./endpoint.ts";
import { createGateway, type Gateway } from "./gateway.ts";
import type { Verdict } from "./ring.ts";
import { startWatch } from "./watch.ts";

export interface EtcdOptions {
  /** Base URLs without a trailing slash. */
  readonly endpoints: readonly string[];
  readonly credentials?: Credentials | undefined;
  readonly tls?: TlsTexts | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export interface EtcdStore extends Store {
  /** Lets idle connections go. */
  close(): void;
}

type Ok = Extract<Verdict, { kind: "ok" }>;

export function createEtcdStore(options: EtcdOptions): EtcdStore {
  const { clock, log } = options;
  const gateway = createGateway(options);

  const range = (prefix: string, ranging: Ranging): Promise<Range> =>
    readRange(gateway, prefix, ranging);

  return {
    range,

    async commit(compares, writes, call) {
      const deadline = after(clock.now(), call.timeoutMs);
      const answer = await gateway.call({
        attempt: "commit to the store",
        path: "/v3/kv/txn",
        body: transactionBody(compares, writes),
        repeatable: false,
        writes: true,
        ...call,
      });
      if (answer.kind === "ok") {
        return { succeeded: answer.body["succeeded"] === true, header: headerOf(answer) };
      }
      if (answer.code !== CODE.notFound) throw refused("commit to the store", answer.message);
      // A put named a lease that is gone: nothing was written. The answer has no header, so look.
      const timeoutMs = Math.max(0, between(clock.now(), deadline));
      const probe = writes[0]?.key ?? "";
      const { header } = await range(probe, { ...call, timeoutMs, keysOnly: true });
      return { succeeded: false, header };
    },

    async grant(leaseId, ttlMs, call) {
      const answer = await gateway.call({
        attempt: "create our lease in the store",
        path: "/v3/lease/grant",
        body: { ID: leaseId, TTL: String(Math.ceil(ttlMs / 1000)) },
        repeatable: true,
        writes: true,
        ...call,
      });
      if (answer.kind === "ok") return { ttlMs: seconds(numberIn(answer.body["TTL"])) };
      if (answer.code === CODE.failedPrecondition) return "exists";
      throw refused("create our lease in the store", answer.message);
    },

    async keepAlive(leaseId, call) {
      const answer = await gateway.call({
        attempt: "keep our lease alive",
        path: "/v3/lease/keepalive",
        body: { ID: leaseId },
        repeatable: true,
        writes: true,
        ...call,
      });
      if (answer.kind === "no" && answer.code === CODE.notFound) return "gone";
      if (answer.kind === "no") throw refused("keep our lease alive", answer.message);
      // An ended lease is answered like a living one, only without a ttl.
      const ttlMs = seconds(numberIn(answer.body["TTL"]));
      return ttlMs > 0 ? { ttlMs } : "gone";
    },

    // oxlint-disable-next-line eslint/max-params -- the port's own shape
    watch(prefix, onEvents, onGap, signal) {
      const list = (timeoutMs: number, from: number): Promise<Range> =>
        range(prefix, { timeoutMs, signal, keysOnly: true, from });
      startWatch({ gateway, clock, log, prefix, list, onEvents, onGap, signal });
    },

    close: () => gateway.close(),
  };
}

interface Ranging extends CallOptions {
  readonly keysOnly?: boolean;
  readonly from?: number;
}

async function readRange(gateway: Gateway, prefix: string, ranging: Ranging): Promise<Range> {
  const { keysOnly = false, ...call } = ranging;
  const attempt = "read from the store";
  const body: JsonObject = { ...rangeOf(prefix), keys_only: keysOnly };
  const answer = await gateway.call({
    attempt,
    path: "/v3/kv/range",
    body,
    repeatable: true,
    writes: false,
    ...call,
  });
  if (answer.kind === "no") throw refused(attempt, answer.message);
  return { header: headerOf(answer), entries: listIn(answer.body["kvs"]).map(keyValueIn) };
}

const refused = (attempt: string, message: string): AppError =>
  new AppError("STORE_REFUSED", attempt, message);

/** Whatever answers without a header is not etcd. */
function headerOf(answer: Ok): StoreHeader {
  if (answer.header !== undefined) return answer.header;
  throw refused("read the store's answer", "it has no header: is this etcd's client address?");
}
