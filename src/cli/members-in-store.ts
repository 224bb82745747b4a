// Where are the other members when this node's own agent is silent? The store knows; it is only read here.
import { callHttp, loadTls } from "../adapters/http/client.ts";
import type { NodeSettings } from "../model/settings.ts";
import { isObject, parseJson } from "../model/wire/json.ts";
import { parseMember } from "../model/wire/member.ts";

const TIMEOUT_MS = 1_500;

/** REST addresses of the members as they published them; none when the store is silent too. */
export function memberUrls(settings: NodeSettings): Promise<readonly string[]> {
  const { endpoints } = settings.store;
  const answers = endpoints.map((endpoint) => urlsFrom(endpoint, settings));
  return Promise.any(answers).catch(() => []);
}

async function urlsFrom(endpoint: string, settings: NodeSettings): Promise<readonly string[]> {
  const prefix = `/${settings.namespace}/${settings.scope}/members/`;
  const key = base64(prefix);
  // The end of a prefix range is the prefix with its last character counted one up: "/" becomes "0".
  const end = base64(`${prefix.slice(0, -1)}0`);
  const body = JSON.stringify({ key, range_end: end });
  const answer = await callHttp({
    method: "POST",
    url: `${endpoint}/v3/kv/range`,
    body,
    timeoutMs: TIMEOUT_MS,
    tls: loadTls(settings.store.tls),
  });
  const value = parseJson(answer.body);
  const entries = isObject(value) && Array.isArray(value["kvs"]) ? (value["kvs"] as unknown[]) : [];
  const urls = entries.flatMap((entry) => {
    if (!isObject(entry)) return [];
    const text = (field: unknown): string => Buffer.from(String(field), "base64").toString("utf8");
    const name = text(entry["key"]).slice(prefix.length);
    return parseMember(name, text(entry["value"])).apiUrl;
  });
  if (urls.length === 0) throw new Error("the store names no member");
  return urls.filter((url) => url !== "");
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");
