// Where are the other members when this node's own agent is silent? The store knows; it is only read here.
import { callHttp, loadTls } from "../adapters/http/client.ts";
import type { AgentSettings, StoreSettings } from "../model/settings.ts";
import { isObject, parseJson } from "../model/wire/json.ts";
import { parseMember } from "../model/wire/member.ts";

const TIMEOUT_MS = 1_500;

/** REST addresses of the members as they published them; none when the store is silent too. */
export function memberUrls(settings: AgentSettings): Promise<readonly string[]> {
  const { endpoints } = settings.store;
  const answers = endpoints.map((endpoint) => urlsFrom(endpoint, settings));
  return Promise.any(answers).catch(() => []);
}

async function urlsFrom(endpoint: string, settings: AgentSettings): Promise<readonly string[]> {
  const prefix = `/${settings.namespace}/${settings.scope}/members/`;
  const key = base64(prefix);
  // The end of a prefix range is the prefix with its last character counted one up: "/" becomes "0".
  const end = base64(`${prefix.slice(0, -1)}0`);
  const token = await tokenFrom(endpoint, settings.store);
  const range = { key, range_end: end };
  const value = await post(`${endpoint}/v3/kv/range`, range, settings.store, token);
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

/** Who we are to a store that asks for a password; undefined where it does not. */
async function tokenFrom(endpoint: string, store: StoreSettings): Promise<string | undefined> {
  const { credentials } = store;
  if (credentials === undefined) return undefined;
  const { username: name, password } = credentials;
  const login = { name, password: password?.reveal() ?? "" };
  const value = await post(`${endpoint}/v3/auth/authenticate`, login, store);
  return isObject(value) && typeof value["token"] === "string" ? value["token"] : undefined;
}

// oxlint-disable-next-line eslint/max-params -- a token is all that a second call adds
async function post(url: string, body: object, store: StoreSettings, token?: string) {
  const answer = await callHttp({
    method: "POST",
    url,
    body: JSON.stringify(body),
    timeoutMs: TIMEOUT_MS,
    tls: loadTls(store.tls),
    ...(token === undefined ? {} : { authorization: token }),
  });
  return parseJson(answer.body);
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");
