import { describe, expect, it } from "vitest";
import {
  cluster,
  contextOf,
  type FakeNode,
  fakeNode,
  member,
  primary,
  primaryView,
  settings,
  slotsFor,
  standbyView,
  WALL_MS,
} from "../../../test/support/node-view.ts";
import { DEFAULT_CONFIG } from "../../model/config.ts";
import { lsn } from "../../model/lsn.ts";
import { parsePatroni } from "../../model/wire/rest.ts";
import { createApp } from "./app.ts";

interface Ask {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly address?: string;
  readonly authorized?: boolean;
  readonly more?: string;
}

async function call(node: FakeNode, path: string, ask: Ask = {}) {
  const app = createApp(contextOf(node, settings(ask.more)));
  const body = ask.body === undefined ? undefined : JSON.stringify(ask.body);
  const socket = { remoteAddress: ask.address ?? "127.0.0.1", authorized: ask.authorized ?? false };
  const response = await app.request(
    path,
    {
      method: ask.method ?? "GET",
      headers: {
        ...(body === undefined ? {} : { "content-length": String(body.length) }),
        ...ask.headers,
      },
      ...(body === undefined ? {} : { body }),
    },
    { incoming: { socket: socket as never } },
  );
  const text = await response.text();
  const isJson = response.headers.get("content-type") === "application/json";
  const parsed: unknown = isJson ? JSON.parse(text) : undefined;
  return { status: response.status, text, json: parsed, headers: response.headers };
}

const post = (node: FakeNode, path: string, body: unknown, more: Ask = {}) =>
  call(node, path, { method: "POST", body, ...more });

describe("reading", () => {
  it("answers /patroni in a form that members read back", async () => {
    const { json, text } = await call(fakeNode(), "/patroni");
    expect(json).toMatchObject({
      state: "running",
      role: "primary",
      server_version: 150_004,
      xlog: { location: 1000 },
      timeline: 1,
      patroni: { version: "4.1.4", scope: "demo", name: "n1" },
      understudy: { because: "leading", position: "0/3E8" },
      dcs_last_seen: 1_795_391_999,
    });
    expect(parsePatroni(text)).toEqual(primaryView().peer);
    const standby = await call(fakeNode(standbyView()), "/patroni");
    expect(parsePatroni(standby.text)).toEqual(standbyView().peer);
    expect(standby.json).toMatchObject({
      role: "replica", // tidy-allow: the word that readers know
      replication_state: "streaming",
      xlog: { received_location: 1000, replayed_location: 1000, paused: false },
    });
  });

  it("keeps every digit of a large position", async () => {
    const far = lsn(2n ** 60n + 1n);
    const view = primaryView({ peer: { ...primaryView().peer, position: far } });
    expect(parsePatroni((await call(fakeNode(view), "/patroni")).text)?.position).toBe(far);
  });

  it("answers /cluster with roles and lags", async () => {
    const node = fakeNode();
    node.snapshots = [
      cluster({
        members: [member("n2", { position: lsn(900), replayedLsn: lsn(800) }), primary("n1")],
      }),
    ];
    const { json } = await call(node, "/cluster");
    expect(json).toMatchObject({
      scope: "demo",
      members: [
        { name: "n1", role: "leader", state: "running", api_url: "http://n1.example:8008/patroni" },
        { name: "n2", state: "streaming", replay_lag: 200, receive_lag: 0, lag: 0 },
      ],
    });
  });

  it("says in three lines that the store is away", async () => {
    const node = fakeNode();
    node.snapshots = [undefined];
    const { status, text } = await call(node, "/cluster");
    expect(status).toBe(503);
    expect(text.split("\n")).toHaveLength(3);
    expect(text).toContain("STORE_UNREACHABLE");
  });

  it("answers the small ones", async () => {
    expect((await call(fakeNode(), "/history")).json).toEqual([]);
    expect((await call(fakeNode(), "/config")).json).toEqual({ ttl: 10, loop_wait: 2 });
    expect((await call(fakeNode(), "/understudy/journal?limit=1")).json).toMatchObject({
      items: [{ because: "leading", at: "2026-11-23T00:00:00.000+00:00" }],
    });
    expect((await call(fakeNode(), "/understudy/logs?lines=3&source=server")).json).toMatchObject({
      items: ["server 3"],
    });
    expect((await call(fakeNode(), "/understudy/status")).json).toMatchObject({
      health: "healthy",
      sentence: "n1 is the primary; 2 standbys can take over, at most 0 B behind",
      node: { lease: { term: 10, leftMs: 5000 }, fence: { armed: true, leftMs: 5000 } },
    });
  });

  it("renders metrics with both labels", async () => {
    const { text } = await call(fakeNode(), "/metrics");
    expect(text).toContain('patroni_primary{scope="demo",name="n1"} 1');
    expect(text).toContain('patroni_version{scope="demo",name="n1"} 40104');
    expect(text).toContain('understudy_lease_seconds_left{scope="demo",name="n1"} 5');
    expect(text).toMatch(/understudy_reason\{reason="leading",scope="demo",name="n1"\} 1/);
    expect(text).toMatch(/patroni_postmaster_start_time\{[^}]*\} 1795388400/);
  });
});

describe("bodies", () => {
  it.each([
    ["an empty object", "{}", 400],
    ["a list", "[1]", 400],
    ["no JSON", "{", 400],
    ["nothing", "", 400],
  ])("%s is refused", async (_, body, expected) => {
    const app = createApp(contextOf(fakeNode()));
    const response = await app.request(
      "/switchover",
      { method: "POST", body, headers: { "content-length": String(body.length) } },
      { incoming: { socket: {} as never } },
    );
    expect(response.status).toBe(expected);
  });

  it("without a length is refused, and so is a huge one", async () => {
    expect((await call(fakeNode(), "/switchover", { method: "POST" })).status).toBe(411);
    const headers = { "content-length": "9999999" };
    const ask = { method: "PATCH", body: { a: 1 }, headers };
    expect((await call(fakeNode(), "/config", ask)).status).toBe(413);
  });

  it("an unknown endpoint cannot be posted to", async () => {
    expect((await post(fakeNode(), "/nonsense", { a: 1 })).status).toBe(501);
  });
});

describe("access", () => {
  const PASSWORD = "restapi: {authentication: {username: u, password: p}}";
  const NETWORK = "restapi: {allowlist: [10.0.0.0/8, '::1']}";
  const basic = (words: string) => ({ authorization: `Basic ${btoa(words)}` });
  const reload = (ask: Ask) => post(fakeNode(), "/reload", undefined, ask);

  it("is open without any of it", async () => {
    expect((await reload({})).status).toBe(202);
  });

  it("asks for name and password", async () => {
    const without = await reload({ more: PASSWORD });
    expect([without.status, without.text]).toEqual([401, "no auth header received"]);
    expect(without.headers.get("www-authenticate")).toContain("Basic");
    const wrong = await reload({ more: PASSWORD, headers: basic("u:x") });
    expect([wrong.status, wrong.text]).toEqual([401, "not authenticated"]);
    expect((await reload({ more: PASSWORD, headers: basic("u:p") })).status).toBe(202);
    expect((await call(fakeNode(), "/patroni", { more: PASSWORD })).status).toBe(200);
  });

  it("is limited to networks", async () => {
    expect((await reload({ more: NETWORK, address: "11.0.0.1" })).text).toBe("Access is denied");
    expect((await reload({ more: NETWORK, address: "::ffff:10.1.2.3" })).status).toBe(202);
    expect((await reload({ more: NETWORK, address: "::1" })).status).toBe(202);
  });

  it("asks for a certificate where one is wanted", async () => {
    const more = "restapi: {certfile: c, cafile: a, verify_client: optional}";
    expect((await reload({ more })).status).toBe(403);
    expect((await reload({ more, authorized: true })).status).toBe(202);
  });
});

describe("the configuration", () => {
  const patch = (node: FakeNode, body: unknown) => call(node, "/config", { method: "PATCH", body });

  it("is merged, and null deletes", async () => {
    const node = fakeNode();
    const { status, json } = await patch(node, { ttl: 20, loop_wait: null, postgresql: { a: 1 } });
    expect(status).toBe(200);
    expect(json).toEqual({ ttl: 20, postgresql: { a: 1 } });
    expect(node.configs).toEqual(['{"ttl":20,"postgresql":{"a":1}}']);
  });

  it("stays as it is when the change is none", async () => {
    const node = fakeNode();
    expect((await patch(node, { ttl: "10" })).status).toBe(200);
    expect(node.configs).toEqual([]);
  });

  it.each([[{ ttl: "x" }], [{ ttl: 1 }], [{ ttl: 6, retry_timeout: 5 }]])(
    "refuses %j and changes nothing",
    async (body) => {
      const node = fakeNode();
      const { status, text } = await patch(node, body);
      expect(status).toBe(400);
      expect(text).toMatch(/ttl|retry_timeout|loop_wait/);
      expect(node.configs).toEqual([]);
    },
  );

  it("says when somebody else was faster, and when there is none", async () => {
    const node = fakeNode();
    node.refuse.config = 1;
    expect((await patch(node, { ttl: 30 })).status).toBe(409);
    node.snapshots = [cluster({ config: { value: undefined, modRevision: 0 } })];
    expect((await patch(node, { ttl: 30 })).status).toBe(503);
  });

  it("is replaced by PUT", async () => {
    const node = fakeNode();
    const { json } = await call(node, "/config", { method: "PUT", body: { ttl: 15 } });
    expect(json).toEqual({ ttl: 15 });
  });
});

describe("a member", () => {
  it("is restarted when the conditions fit", async () => {
    const node = fakeNode();
    const done = await post(node, "/restart", { role: "primary", postgres_version: "15.5" });
    expect([done.status, done.text]).toEqual([200, "restarted successfully"]);
    expect((await post(node, "/restart", { postgres_version: "15.4" })).status).toBe(503);
    expect((await post(node, "/restart", { restart_pending: true })).status).toBe(503);
    expect((await post(node, "/restart", { role: "boss" })).status).toBe(400);
    expect((await post(node, "/restart", { timeout: 0 })).status).toBe(400);
    expect((await post(node, "/restart", { when: 1 })).status).toBe(400);
    await post(node, "/restart", { timeout: "1min" });
    expect(node.requests).toEqual([
      { kind: "restart", timeoutMs: undefined },
      { kind: "restart", timeoutMs: 60_000 },
    ]);
  });

  it("says why a restart failed", async () => {
    const node = fakeNode();
    node.outcome = { kind: "failed", code: "PG_START_TIMEOUT", why: "60 s" };
    const { status, text } = await post(node, "/restart", undefined);
    expect(status).toBe(503);
    expect(text).toContain("PG_START_TIMEOUT");
  });

  it("is rebuilt unless it leads", async () => {
    const refused = await post(fakeNode(), "/reinitialize", undefined);
    expect([refused.status, refused.text]).toEqual([503, "I am the leader, can not reinitialize"]);
    const node = fakeNode(standbyView());
    const begun = await post(node, "/reinitialize", { from_leader: true });
    expect(begun.text).toBe("reinitialize started");
    expect(node.requests).toEqual([{ kind: "reinitialise", force: false, fromLeader: true }]);
    node.seen = standbyView({ cluster: { seen: cluster({ leader: undefined }), at: 1 as never } });
    expect((await post(node, "/reinitialize", undefined)).text).toContain("has no leader");
  });

  it("is restarted later, once at a time, until it is taken back", async () => {
    const node = fakeNode();
    expect((await call(node, "/restart", { method: "DELETE" })).status).toBe(404);
    const schedule = "2026-11-24T04:00:00+00:00";
    const begun = await post(node, "/restart", { schedule, role: "primary", timeout: 5 });
    expect([begun.status, begun.text]).toEqual([202, "Restart scheduled"]);
    const planned = {
      at: schedule,
      atMs: WALL_MS + 28 * 3_600_000,
      role: "primary",
      belowVersion: undefined,
      onlyPending: false,
      timeoutMs: 5_000,
      serverStartedAt: "2026-11-22 23:00:00.000000+00:00",
    };
    expect(node.requests).toEqual([{ kind: "schedule-restart", planned }]);
    const shown = { ...node.seen.member, scheduledRestart: planned };
    node.seen = { ...node.seen, member: shown };
    expect((await post(node, "/restart", { schedule })).status).toBe(409);
    const { json } = await call(node, "/patroni");
    expect(json).toMatchObject({ scheduled_restart: { schedule, role: "primary", timeout: 5 } });
    const taken = await call(node, "/restart", { method: "DELETE" });
    expect([taken.status, taken.text]).toEqual([200, "scheduled restart deleted"]);
    expect(node.requests.at(-1)).toEqual({ kind: "cancel-restart" });
  });

  it.each([
    ["2026-11-24T04:00:00", 400, "Timezone information is mandatory"],
    ["tomorrow", 422, "is not a time"],
    ["2026-11-22T04:00:00Z", 422, "in the past"],
  ])("cannot be restarted at %s", async (schedule, status, words) => {
    const node = fakeNode();
    const answer = await post(node, "/restart", { schedule });
    expect([answer.status, answer.text.includes(words)]).toEqual([status, true]);
    expect(node.requests).toEqual([]);
  });

  it("is not scheduled during a pause", async () => {
    const node = fakeNode(primaryView({ config: { ...DEFAULT_CONFIG, paused: true } }));
    const answer = await post(node, "/restart", { schedule: "2026-11-24T04:00:00Z" });
    expect([answer.status, answer.text]).toEqual([
      500,
      "Can't schedule restart in the paused state",
    ]);
  });
});

describe("slots", () => {
  const uses = { n2: "member", archiver: "permanent", debezium: "unknown" } as const;
  const withSlots = () => fakeNode({ ...primaryView(), slots: slotsFor(uses) });

  it("are shown with what they are for and what is wrong with them", async () => {
    const { json } = await call(withSlots(), "/understudy/slots");
    expect(json).toMatchObject({
      kind: "Slots",
      member: "n1",
      slotWarnings: [/archiver has had no reader/, /debezium/].map((r) => expect.stringMatching(r)),
      items: [
        { name: "n2", use: "member", active: true, restartLsn: "0/1F4" },
        { name: "archiver", idleMs: 600_000, retainedBytes: 500 },
        { name: "debezium", use: "unknown" },
      ],
    });
  });

  it("are dropped by name only where nobody and nothing needs them", async () => {
    const node = withSlots();
    const drop = async (body: unknown) => {
      const { status, text } = await post(node, "/understudy/slots/drop", body);
      return [status, text];
    };
    expect(await drop({ name: 7 })).toEqual([400, "name: which slot?"]);
    expect(await drop({ name: "x" })).toEqual([404, "there is no slot x on this member"]);
    expect(await drop({ name: "n2" })).toMatchObject([
      409,
      expect.stringContaining("is being read"),
    ]);
    expect(await drop({ name: "archiver" })).toMatchObject([
      409,
      expect.stringContaining("is configured"),
    ]);
    expect(node.requests).toEqual([]);
    expect(await drop({ name: "debezium" })).toEqual([200, "slot debezium dropped"]);
    expect(node.requests).toEqual([{ kind: "drop-slot", name: "debezium" }]);
    node.outcome = { kind: "refused", why: "it is active" };
    expect(await drop({ name: "debezium" })).toEqual([503, "it is active"]);
  });
});
