import { describe, expect, it } from "vitest";
import { importPgbouncer, parseConnection, parseIni } from "./pgbouncer-ini.ts";

const FILE = `
;; an old friend
[databases]
app = host=10.0.0.1 port=5432 dbname=shop pool_size=30 min_pool_size=2
"app ro" = host=10.0.0.2
app_ro = host=10.0.0.2 dbname='it''s shop' user=forced password=secret
app_report=host=10.0.0.3 reserve_pool=5
* = host=10.0.0.9

[users]
shop = pool_mode=session

[pgbouncer]
listen_addr = 10.0.0.5, 127.0.0.1
listen_port = 6432
# sizes
default_pool_size = 25
pool_mode = transaction
auth_type = scram-sha-256
auth_file = /etc/pgbouncer/userlist.txt
server_login_retry = 15
server_lifetime = 600
admin_users = postgres
`;

describe("an existing pgbouncer.ini", () => {
  it("is read line by line, with its sections", () => {
    expect(parseIni("a=1\n[X]\nb = 2 = 3\n; c = 4\n%include /d\n")).toEqual([
      { section: "", name: "a", value: "1" },
      { section: "x", name: "b", value: "2 = 3" },
    ]);
    expect(parseConnection("host=a,b port = 1 dbname='it''s'")).toEqual({
      host: "a,b",
      port: "1",
      dbname: "it's",
    });
  });

  it("becomes a section of ours", () => {
    expect(importPgbouncer(FILE).router).toEqual({
      pgbouncer: {
        listen: "10.0.0.5:6432",
        pool_mode: "transaction",
        pool_size: 25,
        auth: { type: "scram-sha-256", file: "/etc/pgbouncer/userlist.txt" },
        options: { server_lifetime: "600" },
        databases: {
          app: { route: "write", dbname: "shop", pool_size: 30 },
          "app ro": { route: "write" },
          app_ro: { route: "read", dbname: "it's shop" },
          app_report: { route: "report", reserve_pool: 5 },
        },
      },
    });
  });

  it("says what it cannot take over, and why, without a secret", () => {
    const { notes } = importPgbouncer(FILE);
    expect(notes.join("\n")).not.toContain("secret\n");
    for (const word of [
      "[users] shop",
      "the database *",
      "app: min_pool_size",
      "app_ro: user",
      "app_ro: password",
      "admin_users",
      "server_login_retry = 15",
      "listen_addr: only 10.0.0.5",
    ]) {
      expect(notes.filter((note) => note.startsWith(word))).toHaveLength(1);
    }
  });
});
