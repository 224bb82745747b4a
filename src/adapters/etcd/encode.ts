// How do keys, numbers and transactions look in etcd's JSON gateway?
//
// Keys and values are base64, 64-bit numbers are text, and whatever is false, zero or empty is left out.
import type { StoreHeader } from "../../model/cluster.ts";
import { isObject, type JsonObject } from "../../model/wire/json.ts";
import type { Compare, KeyValue, StoreEvent, Write } from "../../ports/store.ts";

export const base64 = (text: string): string => Buffer.from(text, "utf8").toString("base64");
const plain = (value: unknown): string =>
  typeof value === "string" ? Buffer.from(value, "base64").toString("utf8") : "";

export const numberIn = (value: unknown): number =>
  typeof value === "string" || typeof value === "number" ? Number(value) : 0;

const textOr = (value: unknown, absent: string): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : absent;

export const listIn = (value: unknown): readonly JsonObject[] =>
  Array.isArray(value) ? value.filter(isObject) : [];

/** The end of the range of all keys that begin with `prefix`: the prefix with its last byte raised. */
export function prefixEnd(prefix: string): string {
  const bytes = Buffer.from(prefix, "utf8");
  for (let last = bytes.length - 1; last >= 0; last -= 1) {
    const byte = bytes[last] ?? 0xff;
    if (byte === 0xff) continue;
    bytes[last] = byte + 1;
    return bytes.subarray(0, last + 1).toString("base64");
  }
  return Buffer.from([0]).toString("base64");
}

export const rangeOf = (prefix: string): JsonObject => ({
  key: base64(prefix),
  range_end: prefixEnd(prefix),
});

export function headerIn(body: JsonObject): StoreHeader | undefined {
  const header = body["header"];
  if (!isObject(header)) return undefined;
  return {
    clusterId: textOr(header["cluster_id"], "0"),
    revision: numberIn(header["revision"]),
    raftTerm: numberIn(header["raft_term"]),
  };
}

export const keyValueIn = (kv: JsonObject): KeyValue => ({
  key: plain(kv["key"]),
  value: plain(kv["value"]),
  createRevision: numberIn(kv["create_revision"]),
  modRevision: numberIn(kv["mod_revision"]),
  lease: textOr(kv["lease"], "0"),
});

/** One change in a watch; a put has no type, because PUT is zero. */
export function eventIn(event: JsonObject): StoreEvent {
  const kv = keyValueIn(isObject(event["kv"]) ? event["kv"] : {});
  return {
    key: kv.key,
    value: event["type"] === "DELETE" ? undefined : kv.value,
    createRevision: kv.createRevision,
    modRevision: kv.modRevision,
  };
}

function compareBody(c: Compare): JsonObject {
  const about = { key: base64(c.key), result: "EQUAL" };
  switch (c.target) {
    case "create":
      return { ...about, target: "CREATE", create_revision: String(c.equals) };
    case "mod":
      return { ...about, target: "MOD", mod_revision: String(c.equals) };
    case "lease":
      return { ...about, target: "LEASE", lease: c.equals };
    case "value":
      return { ...about, target: "VALUE", value: base64(c.equals) };
    default:
      return c satisfies never;
  }
}

function writeBody(w: Write): JsonObject {
  const key = base64(w.key);
  if (w.kind === "delete") return { request_delete_range: { key } };
  const lease = w.lease === undefined ? {} : { lease: w.lease };
  return { request_put: { key, value: base64(w.value), ...lease } };
}

export const transactionBody = (
  compares: readonly Compare[],
  writes: readonly Write[],
): JsonObject => ({ compare: compares.map(compareBody), success: writes.map(writeBody) });
