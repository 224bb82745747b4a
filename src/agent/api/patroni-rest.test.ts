// Does our REST API answer as Patroni's does? One test for each row of the table in docs/reference/patroni.md.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import {
  cluster,
  type FakeNode,
  member,
  primaryView,
  standbyView,
  tagged,
} from "../../../test/support/node-view.ts";
import { serveApi } from "../../../test/support/served-api.ts";
import { DEFAULT_CONFIG } from "../../model/config.ts";
import { lsn } from "../../model/lsn.ts";
import { printRole } from "../../model/wire/role.ts";
import type { View } from "./node-view.ts";

interface Asked {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

interface Said {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

type Ask = (request: string, asked?: Asked) => Promise<Said>;

async function serve(view: View, more = ""): Promise<{ node: FakeNode; ask: Ask }> {
  const { node, url } = await serveApi(view, more);
  const ask: Ask = async (request, { body, headers = {} } = {}) => {
    const [method = "GET", path = "/"] = request.split(" ");
    const answer = await fetch(`${url}${path}`, {
      method,
      headers,
      ...(body === undefined
        ? {}
        : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    return { status: answer.status, text: await answer.text(), headers: answer.headers };
  };
  return { node, ask };
}

const statuses = async (ask: Ask, ...requests: readonly string[]) =>
  Promise.all(requests.map(async (request) => (await ask(request)).status));

const seenBy = (view: View, change: Parameters<typeof cluster>[0]): View => ({
  ...view,
  cluster: { seen: cluster(change), at: view.loop.lastTickAt ?? (0 as never) },
});
const synchronous = (mode: "on" | "quorum") => ({
  config: { value: { ...DEFAULT_CONFIG, synchronousMode: mode }, modRevision: 7 },
  sync: {
    value: { leader: "n1", standbys: ["n2"], quorum: mode === "quorum" ? 1 : 0 },
    modRevision: 8,
  },
});
const THEIR_STANDBY = printRole("standby");
const LATER = "2026-11-30T04:00:00+00:00";
const BEFORE = "2026-11-20T04:00:00+00:00";

// tidy-allow: the paths that health checks of the field ask for
const STANDBY_PATH = "/replica";
const PRIMARY_PATHS = ["/", "/primary", "/master", "/read-write", "/leader"]; // tidy-allow: old paths

const ROWS: Readonly<Record<string, () => Promise<void>>> = {
  async H1() {
    const { ask } = await serve(primaryView());
    for (const method of ["GET", "HEAD", "OPTIONS"]) {
      const answers = await Promise.all(PRIMARY_PATHS.map((path) => ask(`${method} ${path}`)));
      expect(answers.map(({ status }) => status)).toEqual(PRIMARY_PATHS.map(() => 200));
      expect(answers.every(({ text }) => (text !== "") === (method === "GET"))).toBe(true);
    }
  },
  async H2() {
    const { ask } = await serve(standbyView());
    expect(await statuses(ask, ...PRIMARY_PATHS.map((path) => `OPTIONS ${path}`))).toEqual(
      PRIMARY_PATHS.map(() => 503),
    );
  },
  async H3() {
    expect((await (await serve(standbyView())).ask(`HEAD ${STANDBY_PATH}`)).status).toBe(200);
    expect((await (await serve(primaryView())).ask(`HEAD ${STANDBY_PATH}`)).status).toBe(503);
  },
  async H4() {
    const { ask } = await serve(tagged(standbyView(), { noloadbalance: true }));
    expect((await ask(`GET ${STANDBY_PATH}`)).status).toBe(503);
  },
  async H5() {
    const status = { value: { position: lsn(1500), slots: {}, absentMs: {} }, modRevision: 20 };
    const { ask } = await serve(seenBy(standbyView(), { status }));
    const lags = ["100", "1kB", "nonsense"].map((lag) => `GET ${STANDBY_PATH}?lag=${lag}`);
    expect(await statuses(ask, ...lags)).toEqual([503, 200, 200]);
  },
  async H6() {
    const { ask } = await serve(standbyView());
    const states = ["streaming", "in%20archive%20recovery"];
    const requests = states.map((state) => `GET ${STANDBY_PATH}?replication_state=${state}`);
    expect(await statuses(ask, ...requests)).toEqual([200, 503]);
  },
  async H7() {
    const { ask } = await serve(tagged(standbyView(), { custom: { zone: "a" } }));
    const of = ["tag_zone=a", "tag_zone=b", "tag_rack=1"].map((t) => `GET ${STANDBY_PATH}?${t}`);
    expect(await statuses(ask, ...of)).toEqual([200, 503, 503]);
    const primary = await serve(primaryView());
    expect((await primary.ask("GET /primary?tag_zone=b")).status).toBe(200);
  },
  async H8() {
    for (const view of [primaryView(), standbyView()]) {
      const { ask } = await serve(view);
      expect(await statuses(ask, "GET /read-only", "GET /health")).toEqual([200, 200]);
    }
  },
  async H9() {
    const { ask } = await serve(seenBy(standbyView(), synchronous("on")));
    const paths = ["GET /sync", "GET /read-only-sync", "GET /async"];
    expect(await statuses(ask, ...paths)).toEqual([200, 200, 503]);
    expect((await (await serve(standbyView())).ask("GET /async")).status).toBe(200);
  },
  async H10() {
    const { ask } = await serve(seenBy(standbyView(), synchronous("quorum")));
    expect(await statuses(ask, "GET /quorum", "GET /read-only-quorum")).toEqual([200, 200]);
  },
  async H11() {
    const { status, text } = await (await serve(primaryView())).ask("GET /nothing");
    expect(status).toBe(503);
    expect(JSON.parse(text)).toMatchObject({ state: "running", role: "primary" });
  },
  async H12() {
    const { ask } = await serve(primaryView());
    for (const path of ["/liveness", "/readiness"])
      expect(await ask(`GET ${path}`)).toMatchObject({ status: 200, text: "" });
  },
  async P1() {
    const { text } = await (await serve(primaryView())).ask("GET /patroni");
    expect(JSON.parse(text)).toMatchObject({
      state: "running",
      role: "primary",
      server_version: 150_004,
      postmaster_start_time: "2026-11-22 23:00:00.000000+00:00",
      xlog: { location: 1000 },
      timeline: 1,
      database_system_identifier: "7000000000000000001",
      dcs_last_seen: expect.any(Number),
      patroni: { version: expect.stringMatching(/^\d+\.\d+\.\d+$/), scope: "demo", name: "n1" },
    });
  },
  async P2() {
    const { text } = await (await serve(standbyView())).ask("GET /patroni");
    expect(JSON.parse(text)).toMatchObject({
      role: THEIR_STANDBY,
      replication_state: "streaming",
      xlog: {
        received_location: 1000,
        replayed_location: 1000,
        replayed_timestamp: null,
        paused: false,
      },
    });
  },
  async P3() {
    const { text } = await (await serve(primaryView())).ask("GET /cluster");
    const seen = JSON.parse(text) as { members: unknown[]; scope: string };
    expect(seen.scope).toBe("demo");
    const shared = { host: "n1.example", port: 5432, timeline: 1 };
    expect(seen.members[0]).toMatchObject({
      name: "n1",
      role: "leader",
      state: "running",
      ...shared,
    });
    expect(seen.members[1]).toMatchObject({
      ...{ name: "n2", role: THEIR_STANDBY, state: "streaming", lag: 0, lsn: "0/3E8" },
      ...{ receive_lag: 0, replay_lag: 0, api_url: "http://n2.example:8008/patroni" },
    });
  },
  async P4() {
    expect(await (await serve(primaryView())).ask("GET /history")).toMatchObject({
      ...{ status: 200, text: "[]" },
    });
  },
  async P5() {
    const { text } = await (await serve(primaryView())).ask("GET /config");
    expect(JSON.parse(text)).toEqual({ ttl: 10, loop_wait: 2 });
  },
  async P6() {
    expect((await (await serve(primaryView())).ask("GET /failsafe")).status).toBe(502);
  },
  async P7() {
    const { text } = await (await serve(primaryView())).ask("GET /metrics");
    const missing = METRIC_NAMES.filter(
      (name) => !new RegExp(`^patroni_${name}\\{[^}]*scope="demo"[^}]*\\} `, "m").test(text),
    );
    expect(missing).toEqual([]);
    expect(text).toMatch(/^patroni_primary\{[^}]*name="n1"[^}]*\} 1$/m);
  },
  async C1() {
    const { ask } = await serve(primaryView());
    const body = { ttl: 20, loop_wait: null };
    const { status, text } = await ask("PATCH /config", { body });
    expect([status, JSON.parse(text)]).toEqual([200, { ttl: 20 }]);
  },
  async C2() {
    const { node, ask } = await serve(primaryView());
    node.refuse.config = 1;
    expect((await ask("PATCH /config", { body: { ttl: 20 } })).status).toBe(409);
    node.snapshots = [cluster({ config: { value: undefined, modRevision: 0 } })];
    expect((await ask("PATCH /config", { body: { ttl: 20 } })).status).toBe(503);
  },
  async C3() {
    const { status, text } = await (await serve(primaryView())).ask("PUT /config", {
      body: { ttl: 15 },
    });
    expect([status, JSON.parse(text)]).toEqual([200, { ttl: 15 }]);
  },
  async C4() {
    const { ask } = await serve(primaryView());
    for (const body of ["", "{}", "[]", "text"]) {
      const { status } = await ask("PATCH /config", {
        body,
        headers: { "content-length": `${body.length}` },
      });
      expect(status, body).toBe(400);
    }
  },
  async A1() {
    const { ask } = await serve(primaryView());
    expect(await ask("POST /reload")).toMatchObject({ status: 202, text: "reload scheduled" });
  },
  async A2() {
    const { ask } = await serve(primaryView());
    expect(await ask("POST /restart")).toMatchObject({
      status: 200,
      text: "restarted successfully",
    });
    for (const body of [
      { role: THEIR_STANDBY },
      { postgres_version: "15.4" },
      { restart_pending: true },
    ]) {
      expect(await ask("POST /restart", { body })).toMatchObject({
        ...{ status: 503, text: "restart conditions are not satisfied" },
      });
    }
  },
  async A3() {
    const { node, ask } = await serve(primaryView());
    const at = (schedule: string) => ask("POST /restart", { body: { schedule } });
    expect(await at(LATER)).toMatchObject({ status: 202, text: "Restart scheduled" });
    expect((await at("2026-11-30T04:00:00")).status).toBe(400);
    expect((await at(BEFORE)).status).toBe(422);
    node.seen = scheduled(node.seen);
    expect(await at(LATER)).toMatchObject({
      ...{ status: 409, text: "Another restart is already scheduled" },
    });
  },
  async A4() {
    const { node, ask } = await serve(primaryView());
    expect(await ask("DELETE /restart")).toMatchObject({
      ...{ status: 404, text: "no restarts are scheduled" },
    });
    node.seen = scheduled(node.seen);
    expect(await ask("DELETE /restart")).toMatchObject({
      ...{ status: 200, text: "scheduled restart deleted" },
    });
  },
  async A5() {
    const { node, ask } = await serve(standbyView());
    const again = () => ask("POST /reinitialize", { body: { force: false } });
    expect(await again()).toMatchObject({ status: 200, text: "reinitialize started" });
    node.seen = seenBy(standbyView(), { leader: undefined });
    expect((await again()).text).toBe("Cluster has no leader, can not reinitialize");
    node.seen = primaryView();
    expect(await again()).toMatchObject({
      ...{ status: 503, text: "I am the leader, can not reinitialize" },
    });
  },
  async A6() {
    const job = { name: "clone", progress: undefined, sinceMs: 1 } as unknown as View["job"];
    const { node, ask } = await serve({ ...standbyView(), job });
    const busy = { status: 503, text: "clone already in progress" };
    expect(await ask("POST /restart")).toMatchObject(busy);
    expect(await ask("POST /reinitialize")).toMatchObject(busy);
    expect((await ask("POST /reinitialize", { body: { force: true } })).status).toBe(200);
    node.seen = { ...standbyView(), member: member("n1", { state: "starting" }) };
    expect(await ask("POST /restart")).toMatchObject({
      ...{ status: 503, text: "postgres is still starting" },
    });
  },
  async S1() {
    const { ask } = await serve(primaryView());
    const said = async (body: object) => (await ask("POST /switchover", { body })).text;
    expect(await said({ candidate: "n2" })).toBe(
      "Switchover could be performed only from a specific leader",
    );
    expect(await said({ leader: "n1", candidate: "n1" })).toBe(
      "Switchover target and source are the same",
    );
  },
  async S2() {
    const { ask } = await serve(primaryView());
    const said = (body: object) => ask("POST /switchover", { body });
    expect(await said({ leader: "n2", candidate: "n3" })).toMatchObject({
      ...{ status: 412, text: "leader name does not match" },
    });
    expect(await said({ leader: "n1", candidate: "n9" })).toMatchObject({
      ...{ status: 412, text: "candidate does not exists" },
    });
  },
  async S3() {
    const { node, ask } = await serve(primaryView());
    const at = (scheduled_at: string) =>
      ask("POST /switchover", { body: { leader: "n1", candidate: "n2", scheduled_at } });
    expect(await at(LATER)).toMatchObject({ status: 202, text: "Switchover scheduled" });
    expect(node.intents).toMatchObject([{ leader: "n1", candidate: "n2", scheduledAt: LATER }]);
    expect((await at("2026-11-30T04:00:00")).text).toBe(
      "Timezone information is mandatory for the scheduled switchover",
    );
    expect((await at(BEFORE)).status).toBe(422);
  },
  async S4() {
    expect(await (await serve(primaryView())).ask("DELETE /switchover")).toMatchObject({
      ...{ status: 404, text: "no switchover is scheduled" },
    });
  },
  async S5() {
    const { ask } = await serve(primaryView());
    const said = async (body: object) => (await ask("POST /failover", { body })).text;
    expect(await said({ other: 1 })).toBe(
      "Failover could be performed only to a specific candidate",
    );
    expect(await said({ candidate: "n2", scheduled_at: LATER })).toBe(
      "Failover can't be scheduled",
    );
  },
  async S6() {
    const { node, ask } = await serve(primaryView());
    const said = (body: object) => ask("POST /switchover", { body: { leader: "n1", ...body } });
    const alone = synchronous("on");
    node.snapshots = [cluster(alone)];
    expect(await said({ candidate: "n3" })).toMatchObject({
      ...{ status: 412, text: "candidate name does not match with sync_standby" },
    });
    node.snapshots = [
      cluster({
        ...alone,
        sync: { value: { leader: "n1", standbys: [], quorum: 0 }, modRevision: 8 },
      }),
    ];
    expect(await said({})).toMatchObject({
      ...{ status: 412, text: "switchover is not possible: can not find sync_standby" },
    });
    node.snapshots = [cluster({ members: [member("n1")] })];
    expect(await said({})).toMatchObject({
      status: 412,
      text: "switchover is not possible: cluster does not have members except leader",
    });
  },
  async S7() {
    const { node, ask } = await serve(primaryView());
    const config = { value: { ...DEFAULT_CONFIG, paused: true }, modRevision: 7 };
    node.snapshots = [cluster({ config })];
    const said = async (body: object) =>
      (await ask("POST /switchover", { body: { leader: "n1", ...body } })).text;
    expect(await said({ candidate: "n2", scheduled_at: LATER })).toBe(
      "Can't schedule switchover in the paused state",
    );
    expect(await said({})).toBe(
      "Switchover is possible only to a specific candidate in a paused state",
    );
  },
  async F1() {
    const view = primaryView({ config: { ...DEFAULT_CONFIG, failsafeMode: false } });
    const { status } = await (await serve(view)).ask("POST /failsafe", { body: { name: "n1" } });
    expect(status).toBe(502);
  },
  async X1() {
    const { ask } = await serve(primaryView(), "restapi: {allowlist: [10.0.0.0/8]}");
    expect((await ask("POST /reload")).status).toBe(403);
    const named = async (names: string) =>
      (await (await serve(primaryView(), `restapi: {allowlist: ${names}}`)).ask("POST /reload"))
        .status;
    expect(await named("[10.0.0.0/8, localhost]")).toBe(202);
    expect(await named("[nobody.invalid]")).toBe(403);
    const members = "restapi: {allowlist_include_members: true}";
    const among = (apiUrl: string) =>
      seenBy(primaryView(), { members: [member("n1"), member("n2", { apiUrl })] });
    const asking = async (apiUrl: string) =>
      (await (await serve(among(apiUrl), members)).ask("POST /reload")).status;
    expect(await asking("http://127.0.0.1:8008/patroni")).toBe(202);
    expect(await asking("http://localhost:8008/patroni")).toBe(202);
    expect(await asking("http://127.0.0.2:8008/patroni")).toBe(403);
    expect(await asking("http://nobody.invalid:8008/patroni")).toBe(403);
    expect(await asking("no address")).toBe(403);
  },
  async X2() {
    const { ask } = await serve(
      primaryView(),
      "restapi: {authentication: {username: u, password: p}}",
    );
    const refused = await ask("POST /reload");
    expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([
      401,
      expect.stringMatching(/^Basic realm=/),
    ]);
    const authorization = `Basic ${Buffer.from("u:p").toString("base64")}`;
    expect((await ask("POST /reload", { headers: { authorization } })).status).toBe(202);
    expect((await ask("GET /patroni")).status).toBe(200);
  },
  async X3() {
    expect((await (await serve(primaryView())).ask("POST /nothing")).status).toBe(501);
  },
};

function scheduled(view: View): View {
  const planned = {
    ...{ at: LATER, atMs: 1_796_011_200_000, role: undefined, belowVersion: undefined },
    ...{ onlyPending: false, timeoutMs: undefined, serverStartedAt: "x" },
  };
  return { ...view, member: member(view.member.name, { scheduledRestart: planned }) };
}

/** Behind the prefix of each. */
const METRIC_NAMES = [
  ...["version", "postgres_running", "postmaster_start_time", "primary", "standby_leader"],
  ...["replica", "sync_standby", "quorum_standby", "xlog_location", "xlog_received_location"], // tidy-allow: theirs
  ...["xlog_replayed_location", "xlog_replayed_timestamp", "xlog_paused", "postgres_streaming"],
  ...["postgres_in_archive_recovery", "postgres_server_version", "cluster_unlocked"],
  ...["failsafe_mode_is_active", "failsafe_mode_enabled", "failsafe_member", "postgres_timeline"],
  ...["dcs_last_seen", "pending_restart", "is_paused", "postgres_state", "failover_priority"],
];

it.each(Object.keys(ROWS))("row %s", async (name) => {
  expect.hasAssertions();
  await ROWS[name]?.();
});

it("has a row for each test in the reference, and a test for each row", () => {
  const page = join(import.meta.dirname, "../../../docs/reference/patroni.md");
  const section =
    readFileSync(page, "utf8").split("## REST, row by row")[1]?.split("\n## ")[0] ?? "";
  const rows = [...section.matchAll(/^\| ([A-Z]\d+) \|/gm)].map(([, row]) => row);
  expect(rows).toEqual(Object.keys(ROWS));
});
