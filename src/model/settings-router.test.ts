// Does the `router` section say something that a router can obey?
import { describe, expect, it } from "vitest";
import { printFinding } from "./finding.ts";
import { parseNodeFile } from "./settings-file.ts";

const FILE = `scope: demo
name: r1
etcd: {hosts: 10.0.0.1:2379}
restapi: {listen: 0.0.0.0:8008, connect_address: 10.0.0.9:8008}
router:
  drain_budget: 500ms
  max_lag: 1MB
  pgbouncer:
    auth: {file: /etc/understudy/users}
    databases:
      app: {route: write}
      app_ro: {route: read, dbname: app, pool_mode: session, pool_size: 5}
  haproxy:
    write: 0.0.0.0:5000
    read: 127.0.0.1:5001
`;

function router(text = FILE) {
  const file = parseNodeFile(text, "r1.yml");
  if (file.kind !== "router") throw new Error(file.kind);
  expect(file.warnings).toEqual([]);
  return file.settings;
}

function problems(text: string): readonly string[] {
  const file = parseNodeFile(text, "r1.yml");
  return file.kind === "refused" ? file.problems.map(printFinding) : [];
}

describe("a router's file", () => {
  it("has no postgresql section, and defaults for almost everything", () => {
    const { name, router: r } = router();
    expect(name).toBe("r1");
    expect(r).toMatchObject({
      onStoreLoss: "keep",
      storeLimitMs: 30_000,
      drainBudgetMs: 500,
      drainPolicy: "abort",
      holdLimitMs: 20_000,
      maxLagBytes: 1_048_576,
      readsFromPrimary: false,
    });
    expect(r.pgbouncer).toMatchObject({
      listen: { host: "127.0.0.1", port: 6432 },
      dir: "/var/lib/understudy/r1/pgbouncer",
      poolMode: "transaction",
      poolSize: 20,
      auth: { type: "scram-sha-256", file: "/etc/understudy/users" },
    });
    expect(r.pgbouncer?.databases["app"]).toMatchObject({ route: "write", dbname: "app" });
    expect(r.pgbouncer?.databases["app_ro"]).toMatchObject({
      route: "read",
      dbname: "app",
      poolMode: "session",
      poolSize: 5,
    });
    expect(r.haproxy).toMatchObject({
      write: { host: "0.0.0.0", port: 5000 },
      read: { host: "127.0.0.1", port: 5001 },
      report: undefined,
      balance: "roundrobin",
    });
  });

  it("may be that of a database node as well", () => {
    const both = `${FILE}postgresql:
  connect_address: 10.0.0.9:5432
  data_dir: /data/demo
  authentication: {replication: {password: p}}
`;
    const file = parseNodeFile(both, "n1.yml");
    if (file.kind !== "settings") throw new Error(file.kind);
    expect(file.settings.router?.haproxy?.dir).toBe("/data/demo.understudy/haproxy");
  });
});

describe("is refused with its place", () => {
  it.each([
    ["when it runs nothing", FILE.slice(0, FILE.indexOf("  pgbouncer")), "router runs nothing"],
    ["without a way to its agent", FILE.replace(/^restapi.*\n/m, ""), "restapi is missing"],
    ["with a port missing", FILE.replace("0.0.0.0:5000", "0.0.0.0"), "must be host:port"],
    ["with no route", FILE.replace("{route: write}", "{dbname: x}"), "needs route"],
    ["with another route", FILE.replace("route: write", "route: wirte"), "must be one of write"],
    ["without passwords", FILE.replace("{file: /etc/understudy/users}", "{}"), "no passwords"],
    ["with a query nobody asks", FILE.replace("{file:", "{query: q, file:"), "who asks it"],
    ["with a budget that is no time", FILE.replace("500ms", "soon"), "must be seconds"],
    ["with a budget too long", FILE.replace("500ms", "11"), "at most 10"],
    ["with a lag that is no amount", FILE.replace("1MB", "much"), "must be bytes"],
  ])("%s", (_, text, why) => {
    const found = problems(text);
    expect(
      found.some((f) => f.includes(why) && /^r1\.yml:\d+:\d+/.test(f)),
      found.join(),
    ).toBe(true);
  });

  it("is refused where its pooler would keep clients away, or let everybody command it", () => {
    const told = (from: string, to: string) => problems(FILE.replace(from, to)).join();
    expect(told("app: {route: write}", "app: {route: write, min_pool_size: 2}")).toMatch(
      /min_pool_size must be left out/,
    );
    expect(told("pool_size: 5", "pool_size: 5, min_pool_size: 2")).toBe("");
    expect(told("auth: {file: /etc/understudy/users}", "auth: {query_user: asks}")).toMatch(
      /auth names no passwords/,
    );
    expect(told("auth: {file", "auth: {type: any, file")).toMatch(/type would let everybody/);
  });
});
