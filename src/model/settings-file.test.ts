import { describe, expect, it } from "vitest";
import { printFinding } from "./finding.ts";
import { parseNodeFile } from "./settings-file.ts";

const SMALL = `scope: demo
name: n1
etcd:
  hosts: 10.0.0.1:2379,10.0.0.2:2379
postgresql:
  connect_address: 10.0.0.11:5432
  data_dir: /var/lib/understudy/demo
  authentication:
    replication:
      password: secret
`;

const THREE_NODES = `scope: postgres-cluster
name: node1
restapi:
  listen: 0.0.0.0:8008
  connect_address: node1:8008
etcd:
  hosts: "etcd1:2379,etcd2:2379,etcd3:2379"
bootstrap:
  dcs:
    ttl: 30
    loop_wait: 10
    retry_timeout: 10
postgresql:
  listen: 0.0.0.0:5432
  connect_address: node1:5432
  data_dir: /var/lib/postgresql/data
  authentication:
    replication:
      username: replicator
      password: rep-pass
`;

function settingsOf(text: string) {
  const file = parseNodeFile(text, "n.yml");
  if (file.kind === "refused") throw new Error(file.problems.map(printFinding).join("\n"));
  if (file.kind === "router") throw new Error("this file has no postgresql section");
  return { ...file.settings, ctl: file.ctl, warnings: file.warnings.map(printFinding) };
}

function problemsOf(text: string): readonly string[] {
  const file = parseNodeFile(text, "n.yml");
  return file.kind === "refused" ? file.problems.map(printFinding) : [];
}

describe("a small file", () => {
  it("needs ten lines and warns of nothing", () => {
    const s = settingsOf(SMALL);
    expect(SMALL.trimEnd().split("\n").length).toBeLessThanOrEqual(10);
    expect(s.warnings).toEqual([]);
    expect(s.store.endpoints).toEqual(["http://10.0.0.1:2379", "http://10.0.0.2:2379"]);
    expect(s.postgres).toMatchObject({
      listen: ["10.0.0.11"],
      port: 5432,
      connectAddress: { host: "10.0.0.11", port: 5432 },
      stateDir: "/var/lib/understudy/demo.understudy",
      superuser: { username: "postgres", password: undefined },
    });
    expect(s.postgres.replication.username).toBe("replicator");
    expect(s.postgres.replication.password?.reveal()).toBe("secret");
    expect(s.rest.listen).toEqual({ host: "10.0.0.11", port: 8008 });
    expect(s.namespace).toBe("service");
    expect(JSON.stringify(s)).not.toContain('"secret"');
  });

  it("may say that people are asked before a failover", () => {
    const s = settingsOf(THREE_NODES.replace("ttl: 30", "ttl: 30\n    failover: ask"));
    expect(s.warnings).toEqual([]);
    expect(s.bootstrap.config).toMatchObject({ failover: "ask" });
  });

  it("may be the usual one of a three-node Patroni cluster", () => {
    const s = settingsOf(THREE_NODES);
    expect(s.warnings).toEqual([]);
    expect(s.bootstrap.config).toEqual({ ttl: 30, loop_wait: 10, retry_timeout: 10 });
    expect(s.store.endpoints).toHaveLength(3);
    expect(s.rest).toMatchObject({
      listen: { host: "0.0.0.0", port: 8008 },
      connectAddress: { host: "node1", port: 8008 },
    });
  });

  it("needs no address for REST where PostgreSQL has one", () => {
    const s = settingsOf(THREE_NODES.replace("  connect_address: node1:8008\n", ""));
    expect(s.rest.connectAddress).toEqual({ host: "node1", port: 8008 });
  });
});

describe("a full file", () => {
  const FULL = `scope: s
name: n
namespace: /custom/
restapi:
  listen: '[::1]:18008'
  authentication: {username: admin, password: 1234}
  certfile: /c.pem
  keyfile: /k.pem
  cafile: /ca.pem
  verify_client: optional
  allowlist: [10.0.0.0/8, "::1"]
etcd3:
  hosts: [a:1, "https://b"]
  protocol: https
  username: u
  password: p
  cacert: /e.pem
bootstrap:
  dcs: {postgresql: {parameters: {max_connections: 200}}}
  initdb: [encoding: UTF8, data-checksums]
  pg_hba: ["host all all all scram-sha-256"]
  post_bootstrap: /bin/true
postgresql:
  listen: 127.0.0.1,10.0.0.1:6432
  data_dir: /d/
  use_pg_rewind: yes
  authentication:
    superuser: {username: root, password: x}
    replication: {username: rep, password: y}
    rewind: {username: rew, password: z}
  parameters: {fsync: off, hot_standby: true, random_page_cost: 1.10, work_mem: 4MB}
  basebackup: [max-rate: 100M, verbose]
tags: {nofailover: true, failover_priority: 0, zone: a}
watchdog: {mode: off, safety_margin: -1}
log: {level: WARNING, dir: /var/log}
understudy: {state_dir: /st, socket_dir: /so, os_user: pg}
`;

  it("is understood throughout", () => {
    const s = settingsOf(FULL);
    expect(s.warnings).toEqual([]);
    expect(s.namespace).toBe("custom");
    expect(s.store.endpoints).toEqual(["https://a:1", "https://b:2379"]);
    expect(s.rest.listen).toEqual({ host: "::1", port: 18008 });
    expect(s.rest.authentication?.password?.reveal()).toBe("1234");
    expect(s.rest.tls?.verifyClient).toBe("optional");
    expect(s.bootstrap.initdb).toEqual(["--encoding=UTF8", "--data-checksums"]);
    expect(s.postgres).toMatchObject({
      listen: ["127.0.0.1", "10.0.0.1"],
      port: 6432,
      connectAddress: { host: "127.0.0.1", port: 6432 },
      dataDir: "/d",
      stateDir: "/st",
      socketDir: "/so",
      osUser: "pg",
      basebackupOptions: ["--max-rate=100M", "--verbose"],
    });
    expect(s.postgres.parameters).toEqual({
      fsync: "off",
      hot_standby: "on",
      random_page_cost: "1.10",
      work_mem: "4MB",
    });
    expect(s.tags).toMatchObject({ nofailover: true, failoverPriority: 0, custom: { zone: "a" } });
    expect(s.watchdog).toMatchObject({
      mode: "off",
      device: "/dev/watchdog",
      safetyMarginMs: undefined,
    });
    expect(s.log).toMatchObject({ level: "warn", file: "/var/log/understudy.log" });
  });

  it("may use anchors and merges", () => {
    const merged = SMALL.replace(
      "authentication:\n    replication:",
      "x: &x\n      username: merged",
    )
      .replace("      password: secret\n", "      password: s\n")
      .concat("  authentication:\n    replication:\n      <<: *x\n");
    expect(settingsOf(merged).postgres.replication.username).toBe("merged");
  });
});

describe("warnings", () => {
  it("name an unknown key, its place and the nearest known one", () => {
    const s = settingsOf(`${SMALL}  dta_dir: x\nwatchdgo: {}\nrestapi: {certfle: a}\n`);
    expect(s.warnings).toEqual([
      "n.yml:11:3: postgresql.dta_dir is not a known setting, did you mean data_dir?",
      "n.yml:12:1: watchdgo is not a known setting, did you mean watchdog?",
      "n.yml:13:11: restapi.certfle is not a known setting, did you mean certfile?",
    ]);
  });

  it("tell of Patroni's settings that have no effect", () => {
    const s = settingsOf(`${SMALL}  rewind: [debug]\n`);
    expect(s.warnings.join()).toContain("postgresql.rewind has no effect: pg_rewind gets");
  });

  it.each([
    [`${SMALL}log: {format: "%(message)s"}\n`, "log.format has no effect: log.format knows one"],
    [
      `${SMALL}log: {type: json, format: [message, {asctime: time}]}\n`,
      "log.format has no effect: ",
    ],
    [`${SMALL}watchdog: {safety_margin: 0}\n`, "watchdog.safety_margin is too short for a busy"],
    [`${SMALL}  pgpass: /x\n`, "postgresql.pgpass has no effect: "],
    [`${SMALL}  use_slots: false\n`, "postgresql.use_slots has no effect: the cluster decides"],
    [`${SMALL}log: {file_num: 3}\n`, "log.file_num has no effect: "],
    [`${SMALL}thread_pool_size: 3\n`, "thread_pool_size has no effect: "],
    [`${SMALL}restapi: {thread_pool_size: 3}\n`, "restapi.thread_pool_size has no effect: "],
    [
      `${SMALL}bootstrap: {dcs: {postgresql: {remove_data_directory_on_rewind_failure: true}}}\n`,
      "remove_data_directory_on_rewind_failure has no effect: ",
    ],
  ])("say so of one that changes nothing: %j", (yaml, words) => {
    expect(settingsOf(yaml).warnings.map(String)).toEqual([expect.stringContaining(words)]);
  });

  it("leave commands of the user's alone, and refuse what is none", () => {
    const yaml = `${SMALL}  callbacks: {on_start: /x y, on_stopp: z}\n  pre_promote: /p\n`;
    const s = settingsOf(yaml);
    expect(s.postgres.callbacks).toEqual({ on_start: "/x y" });
    expect([s.postgres.prePromote, s.postgres.beforeStop]).toEqual(["/p", undefined]);
    expect(s.warnings.join()).toContain("callbacks.on_stopp is not a known setting, did you mean");
  });

  it("read the commands that make data", () => {
    const copies = "  create_replica_methods: [pgbackrest, basebackup]\n";
    const inner = "  pgbackrest: {command: /b --x, keep_data: true, no_params: true}\n";
    const boot = "bootstrap:\n  method: mine\n  mine: {command: /m, speed: fast, level: 3}\n";
    const s = settingsOf(`${SMALL}${copies}${inner}${boot}`);
    expect(s.postgres.cloneMethods).toEqual([
      { name: "pgbackrest", command: "/b --x", isBare: true, parameters: [] },
      "basebackup",
    ]);
    expect(s.bootstrap.method).toEqual({
      name: "mine",
      command: "/m",
      isBare: false,
      parameters: ["--speed=fast", "--level=3"],
    });
    expect(s.warnings.join()).toContain("pgbackrest.keep_data has no effect");
    expect(s.warnings).toHaveLength(1);
  });

  const repo = "backup: {repositories: {near: {directory: /b}, far: {directory: /f}}}\n";

  it("read which backups make data", () => {
    const copies = "  create_replica_methods: [backup, basebackup]\n  backup: {repository: far}\n";
    const boot = "bootstrap: {method: backup, backup: {to_name: x, scope: shop, system: 77}}\n";
    const s = settingsOf(`${SMALL}${copies}${repo}${boot}`);
    expect(s.postgres.cloneMethods).toEqual([{ name: "backup", repository: "far" }, "basebackup"]);
    expect(s.bootstrap.method).toMatchObject({
      name: "backup",
      repository: undefined,
      scope: "shop",
      systemId: "77",
      to: { kind: "name", at: "x" },
    });
    expect(s.warnings).toEqual([]);
    const elsewhere = settingsOf(`${SMALL}bootstrap: {method: backup, backup: {directory: /o}}\n`);
    expect(elsewhere.bootstrap.method).toMatchObject({
      place: { kind: "directory", directory: "/o" },
      to: { kind: "latest" },
    });
    const own = "  create_replica_methods: [backup]\n  backup: {command: /mine}\n";
    expect(settingsOf(`${SMALL}${own}`).postgres.cloneMethods).toMatchObject([
      { command: "/mine" },
    ]);
  });

  it.each([
    ["  create_replica_methods: [backup]\n", "no section backup is there"],
    [
      `  create_replica_methods: [backup]\n  backup: {repository: x}\n${repo}`,
      "there are near, far",
    ],
    ["bootstrap: {method: backup}\n", "no section backup is there"],
    [`bootstrap: {method: backup, backup: {to_lsn: x}}\n${repo}`, "must be a position"],
    [`bootstrap: {method: backup, backup: {to_time: now}}\n${repo}`, "a moment with its zone"],
    [`bootstrap: {method: backup, backup: {to: backup, to_xid: 7}}\n${repo}`, "more than once"],
    [`bootstrap: {method: backup, backup: {directory: /x, repository: near}}\n${repo}`, "keep one"],
    [`bootstrap: {method: backup, backup: {system: x}}\n${repo}`, "a system identifier"],
  ])("are refused where they say nothing that can be done: %j", (more, words) => {
    expect(problemsOf(`${SMALL}${more}`).join()).toContain(words);
  });

  it.each([
    ["  create_replica_methods: [x]\n", "names x, but there is no section of that name"],
    ["  create_replica_methods: [x]\n  x: {a: b}\n", "x.command is missing"],
    ["bootstrap: {method: x}\n", "names x, but there is no section of that name"],
    ["bootstrap: {method: x, x: {command: y, recovery_conf: {a: b}}}\n", "is not supported"],
  ])("are refused where they cannot be run: %j", (more, words) => {
    expect(problemsOf(`${SMALL}${more}`).join()).toContain(words);
  });

  it("tell of tags that contradict each other", () => {
    const s = settingsOf(`${SMALL}tags: {nofailover: false, failover_priority: 0}\n`);
    expect(s.warnings.join()).toContain(
      "Conflicting configuration between nofailover: False and failover_priority: 0. Defaulting to nofailover: False",
    );
    expect(s.tags.nofailover).toBe(false);
    const both = `${SMALL}tags: {nosync: true, sync_priority: 2, nostream: true, replicatefrom: n9}\n`;
    const said = settingsOf(both).warnings.join();
    expect(said).toContain(
      "Conflicting configuration between nosync: True and sync_priority: 2. Defaulting to nosync: True",
    );
    expect(said).toContain("tags.replicatefrom has no effect beside nostream");
  });

  it.each([
    ["nofailover: 3", "tags.nofailover must be true or false"],
    ["nosync: perhaps", "tags.nosync must be true or false"],
    ["failover_priority: high", "tags.failover_priority must be a whole number"],
    ["sync_priority: 1.5", "tags.sync_priority must be a whole number"],
    ["replicatefrom: [a]", "tags.replicatefrom must be a text"],
    ["clonefrom: {}", "tags.clonefrom must be a text"],
  ])("are problems where a tag is of the wrong type: %s", (tag, words) => {
    expect(problemsOf(`${SMALL}tags: {${tag}}\n`).join()).toContain(words);
  });

  it("tell where a login's protection holds only in part", () => {
    const login = (more: string) => SMALL.replace("password: secret", more);
    expect(settingsOf(login("gssencmode: require")).warnings.join()).toContain(
      "replication.gssencmode holds for replication",
    );
    expect(settingsOf(login("channel_binding: require")).warnings.join()).toContain(
      "replication.channel_binding is insisted on for replication",
    );
    const file = settingsOf(
      login("password: x\n      sslrootcert: system\n      sslmode: VERIFY-FULL"),
    );
    expect(file.postgres.replication.protection).toEqual({
      sslmode: "verify-full",
      sslrootcert: "system",
    });
  });

  it("do not let a member copy from itself", () => {
    const own = /name: (\S+)/.exec(SMALL)?.[1] ?? "";
    expect(problemsOf(`${SMALL}tags: {replicatefrom: ${own}}\n`).join()).toContain("itself");
  });
});

describe("problems", () => {
  const at = (from: string | RegExp, to: string) => problemsOf(SMALL.replace(from, to));

  it.each([
    ["", "n.yml:1:1: scope is missing: the name of the cluster"],
    ["- a\n", 'n.yml:1:1: the file must be a section of "name: value" lines'],
    ["scope: [\n", "n.yml:2:1: Flow sequence in block collection must be"],
    ["a: 1\na: 2\n", "n.yml:2:1: Map keys must be unique"],
    ["scope: {a: b}\n", "n.yml:1:8: scope must be a text"],
    ["a: &a [*a]\n", "n.yml:"],
  ])("in %j have a place", (text, expected) => {
    expect(problemsOf(text).join("\n")).toContain(expected);
  });

  it.each([
    [
      "10.0.0.11:5432",
      "10.0.0.11:99999",
      "n.yml:6:20: postgresql.connect_address must be host:port",
    ],
    ["10.0.0.11:5432", "0.0.0.0:5432", "n.yml:6:20: postgresql.connect_address must be an address"],
    ["10.0.0.1:2379,", "'a b',", "n.yml:4"],
    ["name: n1", "name: n 1", "n.yml:2:7: name must not contain"],
    [
      "name: n1",
      "name: n1\nbootstrap: {dcs: {ttl: 4}}",
      "dcs.ttl is not possible: 4 s cannot hold",
    ],
    ["name: n1", "name: n1\nbootstrap: {dcs: {ttl: x}}", 'dcs.ttl is not possible: "x"'],
    [
      "name: n1",
      "name: n1\nbootstrap: {dcs: {ttl: 10, loop_wait: 5, retry_timeout: 3}}",
      "dcs.loop_wait is not possible: 5 s cannot hold",
    ],
    ["etcd:", "consul:", "consul is not supported"],
    ["etcd:", "etcd3: {}\netcd:", "etcd3 and etcd are both given"],
    ["  hosts: 10.0.0.1:2379,10.0.0.2:2379", "  username: u", "etcd.hosts is missing"],
    ["name: n1", "name: n1\nrestapi: {verify_client: required}", "verify_client needs cafile"],
    ["name: n1", "name: n1\nrestapi: {allowlist: [10.0.0.0/33]}", '"10.0.0.0/33" is not an IP'],
    ["name: n1", "name: n1\nrestapi: {allowlist: ['1:2']}", '"1:2" is not an IP address'],
    ["name: n1", "name: n1\nrestapi: {authentication: {username: u}}", "without a password"],
    ["name: n1", "name: n1\nbootstrap: {initdb: [pgdata: /x]}", "must not set pgdata"],
    [
      "name: n1",
      "name: n1\nwatchdog: {mode: maybe}",
      "watchdog.mode must be one of off, automatic",
    ],
    ["name: n1", "name: n1\ntags: {nofailover: maybe}", "must be true or false"],
    ["password: secret", "sslmode: sometimes", "sslmode must be one of disable, allow, prefer"],
    ["password: secret", "sslkey: /k", "sslkey is given without sslcert"],
    [
      "data_dir: /var/lib/understudy/demo",
      `data_dir: /${"x".repeat(110)}`,
      "too long for a socket",
    ],
  ])("%s → %s is refused with its place", (from, to, expected) => {
    const problems = at(from, to);
    expect(problems.join("\n")).toContain(expected);
    expect(problems.every((line) => /^n\.yml:\d+:\d+: /.test(line))).toBe(true);
  });

  it("come all at once, in the order of the file", () => {
    const problems = problemsOf("scope: 's p'\nname: ''\netcd: {hosts: ''}\npostgresql: {}\n");
    expect(problems.map((line) => line.split(" ")[1])).toEqual([
      "scope",
      "name",
      "etcd.hosts",
      "postgresql.connect_address",
      "postgresql.data_dir",
    ]);
  });
});
