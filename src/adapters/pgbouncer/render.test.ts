import { describe, expect, it } from "vitest";
import { DATABASE, POOLER } from "../../../test/support/pooler-settings.ts";
import type { RoutePlan } from "../../model/route.ts";
import type { PgbouncerSettings } from "../../model/router-settings.ts";
import { parseVersion } from "./program.ts";
import { leftOut, NOWHERE, readMark, renderRoutes, renderSettings, waysOf } from "./render.ts";

const SETTINGS: PgbouncerSettings = {
  ...POOLER,
  auth: { type: "scram-sha-256", file: "/etc/users", queryUser: undefined, query: undefined },
  databases: {
    app: DATABASE,
    app_ro: { ...DATABASE, route: "read", poolSize: 40, poolMode: "session" },
    app_report: { ...DATABASE, route: "report", dbname: "it's" },
  },
};

const V18 = parseVersion("PgBouncer 1.18.0\nlibevent 2.1.12") ?? fail();
const V24 = parseVersion("PgBouncer 1.24.1") ?? fail();
const at = (name: string, port = 5432) => ({ name, host: `10.0.0.${name.slice(1)}`, port });
const ready = (name: string, port?: number) => ({ ...at(name, port), state: "ready" as const });
const PLAN: RoutePlan = {
  term: 42,
  write: at("n1"),
  reads: [ready("n3"), ready("n2"), { ...at("n4"), state: "drain" }],
  reports: [],
};

function fail(): never {
  throw new Error("no version");
}

const linesOf = (text: string, names: readonly string[]): readonly string[] =>
  text.split("\n").filter((line) => names.some((name) => line.startsWith(`${name} =`)));

const render = (change: Partial<PgbouncerSettings> = {}, version = V18, holdLimitMs = 20_000) =>
  renderSettings({ settings: { ...SETTINGS, ...change }, version, holdLimitMs }, 1);

describe("the settings", () => {
  it("keep failovers short: a refused login is tried again at once, a vanished host is given up", () => {
    expect(
      linesOf(render(), ["server_login_retry", "tcp_user_timeout", "query_wait_timeout"]),
    ).toEqual(["server_login_retry = 0.1", "tcp_user_timeout = 5000", "query_wait_timeout = 60"]);
  });

  it("let a query wait longer than any pause lasts", () => {
    expect(linesOf(render({}, V18, 45_000), ["query_wait_timeout"])).toEqual([
      "query_wait_timeout = 90",
    ]);
  });

  it("contain only what the version knows", () => {
    expect(render()).not.toContain("max_prepared_statements");
    expect(render({ processes: 2 })).not.toContain("peer");
    const newer = render({ processes: 2 }, V24);
    expect(newer).toContain("max_prepared_statements = 200");
    expect(newer).toContain("peer_id = 1");
    expect(newer).toContain("[peers]\n1 = host=/run/pb/1 port=6432\n2 = host=/run/pb/2 port=6432");
  });

  it("share a port between several processes, each with a socket folder of its own", () => {
    const both = { settings: { ...SETTINGS, processes: 2 }, version: V18, holdLimitMs: 1 };
    const second = renderSettings(both, 2);
    expect(linesOf(second, ["so_reuseport", "unix_socket_dir", "pidfile"])).toEqual([
      "unix_socket_dir = /run/pb/2",
      "pidfile = /run/pb/pgbouncer-2.pid",
      "so_reuseport = 1",
    ]);
    expect(second).toContain("%include /run/pb/routes.ini");
  });

  it("trust clients, but nobody with the console", () => {
    const auth = { ...SETTINGS.auth, type: "trust" };
    expect(linesOf(render({ auth }), ["auth_type", "auth_hba_file"])).toEqual([
      "auth_type = hba",
      "auth_hba_file = /run/pb/hba.conf",
    ]);
    expect(() => render({ auth: { ...auth, type: "any" } })).toThrow(/type trust/);
  });

  it("take the file's options over the baseline", () => {
    expect(linesOf(render({ options: { server_lifetime: "60" } }), ["server_lifetime"])).toEqual([
      "server_lifetime = 60",
    ]);
  });
});

describe("the routes", () => {
  const ways = waysOf(SETTINGS, PLAN, {});

  it("lead each database where its route goes, and nobody to a standby that is being drained", () => {
    expect(renderRoutes({ settings: SETTINGS, term: 42, ways }).split("\n").slice(1)).toEqual([
      "[databases]",
      "app = host=10.0.0.1 port=5432 dbname=shop",
      "app_ro = host=10.0.0.2,10.0.0.3 port=5432 dbname=shop pool_mode=session pool_size=40",
      "app_report = host=/run/pb/nowhere port=5432 dbname='it''s'",
      "",
    ]);
  });

  it("say in their first line what they are, for the next life of the agent", () => {
    const text = renderRoutes({ settings: SETTINGS, term: 42, ways });
    expect(readMark(text)).toEqual({ term: 42, ways });
    expect(readMark("; somebody else's\n")).toBeUndefined();
    expect(readMark(undefined)).toBeUndefined();
  });

  it("leave writes where they were while there is no primary", () => {
    const later = waysOf(SETTINGS, { ...PLAN, write: undefined }, ways);
    expect(later["app"]).toEqual({ hosts: ["10.0.0.1"], port: 5432 });
    expect(waysOf(SETTINGS, { ...PLAN, write: undefined }, {})["app"]).toEqual(NOWHERE);
    const readOnly = { ...PLAN, write: undefined, isReadOnly: true };
    expect(waysOf(SETTINGS, readOnly, waysOf(SETTINGS, PLAN, {}))["app"]).toEqual(NOWHERE);
  });

  it("take one port for all hosts, as PgBouncer does, and name who is left out", () => {
    const reads = [ready("n2", 5433), ready("n3", 5434), ready("n4", 5434)];
    const mixed = { ...PLAN, reads };
    expect(waysOf(SETTINGS, mixed, {})["app_ro"]).toEqual({
      hosts: ["10.0.0.3", "10.0.0.4"],
      port: 5434,
    });
    expect(leftOut(mixed)).toEqual([expect.stringMatching(/^n2 gets no reads: .*5434.*5433$/)]);
  });

  it("refuse a name that the file could not hold", () => {
    const databases = { "my app": DATABASE };
    const settings = { ...SETTINGS, databases };
    expect(() => renderRoutes({ settings, term: 1, ways })).toThrow(/letters, digits/);
  });
});
