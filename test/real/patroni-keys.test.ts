// Do the keys in a real etcd read, to the byte, as Patroni's tools expect them? A row of the reference for each.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isObject, type JsonObject, parseJson } from "../../src/model/wire/json.ts";
import { AgentStage, type TestAgent, until } from "../support/agent.ts";

const NAMESPACE = "/db/";
const SECONDS = { ttl: 8, loop_wait: 1, retry_timeout: 2 };

let stage: AgentStage;
let a: TestAgent;
let b: TestAgent;
let prefix = "";

interface Key {
  readonly text: string;
  readonly lease: bigint;
  readonly modRevision: number;
}

/** A key exactly as it lies in the store; undefined when there is none. */
async function key(name: string): Promise<Key | undefined> {
  const json = await stage.store("get", `${prefix}${name}`, "-w", "json");
  // A lease's number has more digits than JSON numbers keep.
  const lease = /"lease":(\d+)/.exec(json)?.[1] ?? "0";
  const { kvs = [] } = JSON.parse(json) as {
    kvs?: readonly { readonly value: string; readonly mod_revision: number }[];
  };
  const [found] = kvs;
  if (found === undefined) return undefined;
  const text = Buffer.from(found.value ?? "", "base64").toString("utf8");
  return { text, lease: BigInt(lease), modRevision: found.mod_revision };
}

async function untilKey(
  name: string,
  what: string,
  isTrue: (found: Key | undefined) => boolean,
): Promise<Key | undefined> {
  let found: Key | undefined;
  await until(
    `${name}: ${what}`,
    async () => {
      found = await key(name);
      return isTrue(found);
    },
    () => `it is ${found?.text ?? "not there"}`,
  );
  return found;
}

/** The object in a key; it must be written without spaces, as `json.dumps` with tight separators does. */
function tight(found: Key | undefined): JsonObject {
  const value = parseJson(found?.text ?? "");
  if (!isObject(value)) throw new Error(`no object: ${found?.text ?? "nothing"}`);
  expect(found?.text).toBe(JSON.stringify(value));
  return value;
}

/** Readers take no key and an empty object alike. */
const isClear = (found: Key | undefined): boolean => found === undefined || found.text === "{}";

const objectIn = async (name: string): Promise<JsonObject> => tight(await key(name));

beforeAll(async () => {
  stage = await AgentStage.open();
  await stage.etcd();
  const change = { namespace: NAMESPACE, bootstrap: { dcs: SECONDS } };
  a = await stage.node("a", change);
  b = await stage.node("b", change);
  await a.startAndLead();
  b.start();
  await b.untilReason("following");
  const all = await stage.store("get", "--prefix", "--keys-only", "/");
  prefix = /^(\/db\/[^/]+\/)leader$/m.exec(all)?.[1] ?? "";
}, 90_000);
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

/** In this order: the last ones change who leads. */
const ROWS: Readonly<Record<string, () => Promise<void>>> = {
  async K1() {
    const keys = (await stage.store("get", "--prefix", "--keys-only", "/")).match(/\/\S+/g) ?? [];
    const names = keys.map((found) => found.slice(prefix.length));
    expect(keys.every((found) => found.startsWith(prefix))).toBe(true);
    expect(names).toEqual(
      expect.arrayContaining(["initialize", "config", "leader", "members/a", "members/b"]),
    );
    expect(names).not.toContain("optime/leader");
  },
  async K2() {
    const found = await key("initialize");
    const control = a.asServer("pg_controldata", a.dataDir);
    expect(found?.text).toBe(/system identifier: +(\d+)/.exec(control)?.[1]);
    expect(found?.lease).toBe(0n);
  },
  async K3() {
    const found = await key("config");
    expect(tight(found)).toMatchObject(SECONDS);
    expect(found?.lease).toBe(0n);
    await stage.store("del", `${prefix}config`);
    const restored = await untilKey("config", "is restored by the leader", (k) => k !== undefined);
    expect(JSON.parse(restored?.text ?? "")).toEqual(JSON.parse(found?.text ?? ""));
  },
  async K4() {
    const leader = await key("leader");
    const member = await key("members/a");
    expect(leader?.text).toBe("a");
    expect(leader?.lease).not.toBe(0n);
    expect(leader?.lease).toBe(member?.lease);
    const hex = leader?.lease.toString(16) ?? "";
    expect(await stage.store("lease", "timetolive", hex)).toContain(`granted with TTL(8s)`);
  },
  async K5() {
    const { conn_url, api_url, ...more } = await objectIn("members/a");
    expect(conn_url).toBe(`postgres://${a.address}:${a.port}/postgres`);
    expect(api_url).toBe(`${a.apiUrl}/patroni`);
    expect(more).toMatchObject({ state: "running", role: "primary", timeline: 1 });
    expect(more["xlog_location"]).toEqual(expect.any(Number));
    expect(more["version"]).toMatch(/^4\.\d+\.\d+$/);
  },
  async K6() {
    const found = await untilKey("members/b", "streams", (k) =>
      (k?.text ?? "").includes("streaming"),
    );
    expect(tight(found)).toMatchObject({
      state: "running",
      role: "replica",
      replication_state: "streaming",
      receive_lsn: expect.any(Number),
      replay_lsn: expect.any(Number),
      xlog_location: expect.any(Number),
      timeline: 1,
    });
  },
  async K7() {
    const found = await key("status");
    const status = tight(found);
    expect(status["optime"]).toEqual(expect.any(Number));
    expect(status["slots"]).toMatchObject({ b: expect.any(Number) });
    expect(found?.lease).toBe(0n);
    await a.sql("CREATE TABLE more (n int)");
    await untilKey("status", "moves on", (k) => k?.modRevision !== found?.modRevision);
  },
  async K8() {
    const expected = { a: `${a.apiUrl}/patroni`, b: `${b.apiUrl}/patroni` };
    const found = await untilKey("failsafe", "lists both", (k) => (k?.text ?? "").includes('"b"'));
    expect(tight(found)).toEqual(expected);
  },
  async K9() {
    expect(await key("sync")).toBeUndefined();
    await a.rest("PATCH", "/config", { synchronous_mode: true });
    const found = await untilKey("sync", "names b", (k) => (k?.text ?? "").includes('"b"'));
    expect(tight(found)).toMatchObject({ leader: "a", sync_standby: "b" });
    expect(found?.lease).toBe(0n);
    await a.rest("PATCH", "/config", { synchronous_mode: null });
    await untilKey("sync", "is gone", (k) => k === undefined);
  },
  async K10() {
    await stage.store("put", `${prefix}config`, JSON.stringify({ ...SECONDS, loop_wait: 2 }));
    const seen = async () => (await a.rest("GET", "/config")).text.includes('"loop_wait":2');
    await until("a goes by what another tool wrote", seen);
    expect((await key("config"))?.lease).toBe(0n);
  },
  async K11() {
    await stage.store("put", `${prefix}failover`, '{"leader":"a","member":"b"}');
    await b.untilReason("leading");
    const cleared = await untilKey("failover", "is cleared", isClear);
    await a.untilReason("following");
    expect(isClear(cleared)).toBe(true);
  },
  async K12() {
    const found = await untilKey("history", "has a row", (k) => k !== undefined);
    const rows = JSON.parse(found?.text ?? "") as readonly (readonly unknown[])[];
    expect(found?.text).toBe(JSON.stringify(rows));
    expect(rows).toEqual([
      [1, expect.any(Number), expect.any(String), expect.stringMatching(/^\d{4}-\d\d-\d\dT/), "b"],
    ]);
    expect(found?.lease).toBe(0n);
  },
  async K13() {
    await stage.store("put", `${prefix}failover`, "b:a");
    await a.untilReason("leading");
    const cleared = await untilKey("failover", "is cleared", isClear);
    await b.untilReason("following");
    expect(isClear(cleared)).toBe(true);
  },
  async K14() {
    await stage.store("put", `${prefix}leader`, "stranger");
    await a.untilStatus("it leads no more", ({ node }) => node.because?.reason !== "leading");
    await b.untilStatus("nor does the other", ({ node }) => node.because?.reason !== "following");
    expect((await key("leader"))?.text).toBe("stranger");
    await stage.store("del", `${prefix}leader`);
    await untilKey("leader", "one of ours", (k) => k?.text === "a" || k?.text === "b");
  },
  async K15() {
    const leader = (await key("leader"))?.text === "a" ? a : b;
    await leader.untilStatus("all is well again", ({ health }) => health === "healthy");
    const before = await objectIn("status");
    expect(await leader.stop()).toBe(0);
    await untilKey("leader", "the other one", (k) => k?.text === (leader === a ? "b" : "a"));
    expect(await key(`members/${leader.name}`)).toBeDefined();
    expect(Number((await objectIn("status"))["optime"])).toBeGreaterThanOrEqual(
      Number(before["optime"]),
    );
  },
};

test.each(Object.keys(ROWS))("row %s", async (name) => {
  expect.hasAssertions();
  await ROWS[name]?.();
});

test("the reference has a row for each test, and a test for each row", () => {
  const page = join(import.meta.dirname, "../../docs/reference/patroni.md");
  const section =
    readFileSync(page, "utf8").split("## Keys, row by row")[1]?.split("\n## ")[0] ?? "";
  const rows = [...section.matchAll(/^\| (K\d+) \|/gm)].map(([, row]) => row);
  expect(rows).toEqual(Object.keys(ROWS));
});
