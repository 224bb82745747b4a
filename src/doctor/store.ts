// How does each endpoint of etcd feel? Asked directly, one after another, and only with questions.
import { callHttp, loadTls } from "../adapters/http/client.ts";
import type { StoreEndpointFacts } from "../model/doctor/facts.ts";
import type { StoreSettings } from "../model/settings.ts";
import { isObject, parseJson } from "../model/wire/json.ts";

const LIMIT_MS = 3_000;
const SAMPLES = 5;

export const storeFacts = (store: StoreSettings): Promise<readonly StoreEndpointFacts[]> =>
  Promise.all(store.endpoints.map((endpoint) => endpointFacts(endpoint, store)));

async function endpointFacts(endpoint: string, store: StoreSettings): Promise<StoreEndpointFacts> {
  const silent: StoreEndpointFacts = {
    endpoint,
    isEncrypted: endpoint.startsWith("https:"),
    trouble: "",
    latencyMs: 0,
    version: "",
    sizeBytes: 0,
    usedBytes: 0,
    hasLeader: false,
    members: 0,
    alarms: [],
  };
  try {
    const ask = await asker(endpoint, store);
    const samples: number[] = [];
    let status: Answer = {};
    for (let sample = 0; sample < SAMPLES; sample++) {
      const begun = performance.now();
      status = await ask("/v3/maintenance/status", {});
      samples.push(performance.now() - begun);
    }
    const alarms = await ask("/v3/maintenance/alarm", { action: "GET" }).catch(() => ({}));
    const list = await ask("/v3/cluster/member/list", {});
    return {
      ...silent,
      ...statusOf(status),
      ...listOf(list),
      latencyMs: median(samples),
      alarms: alarmsOf(alarms),
    };
  } catch (error) {
    return { ...silent, trouble: error instanceof Error ? error.message : String(error) };
  }
}

type Answer = Readonly<Record<string, unknown>>;

/** A question to this endpoint, with what it wants to see of us. */
async function asker(endpoint: string, store: StoreSettings) {
  const tls = loadTls(store.tls);
  const post = async (path: string, body: object, token?: string): Promise<Answer> => {
    const { status, body: text } = await callHttp({
      method: "POST",
      url: `${endpoint}${path}`,
      body: JSON.stringify(body),
      timeoutMs: LIMIT_MS,
      tls,
      ...(token === undefined ? {} : { authorization: token }),
    });
    const value = parseJson(text);
    if (status === 200 && isObject(value)) return value;
    throw new Error(`${path} was answered with ${status}`);
  };
  const { credentials } = store;
  if (credentials === undefined) return post;
  const login = { name: credentials.username, password: credentials.password?.reveal() ?? "" };
  const { token } = await post("/v3/auth/authenticate", login);
  return (path: string, body: object) => post(path, body, String(token));
}

/** The gateway writes whole numbers as text. */
const wordOf = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : "";

const statusOf = (status: Answer) => ({
  version: wordOf(status["version"]),
  sizeBytes: Number(status["dbSize"] ?? 0),
  usedBytes: Number(status["dbSizeInUse"] ?? status["dbSize"] ?? 0),
  hasLeader: !["", "0"].includes(wordOf(status["leader"])),
});

const listOf = (list: Answer) => ({
  members: Array.isArray(list["members"]) ? list["members"].length : 0,
});

const alarmsOf = (answer: Answer): readonly string[] =>
  (Array.isArray(answer["alarms"]) ? (answer["alarms"] as unknown[]) : []).flatMap((entry) =>
    isObject(entry) && entry["alarm"] !== "NONE"
      ? [`${String(entry["alarm"])} of member ${String(entry["memberID"])}`]
      : [],
  );

const median = (samples: readonly number[]): number =>
  samples.toSorted((a, b) => a - b)[Math.floor(samples.length / 2)] ?? 0;
