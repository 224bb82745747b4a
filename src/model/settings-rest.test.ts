// What Patroni's files say about files, headers and addresses: is it taken as it is meant there?
import { describe, expect, it } from "vitest";
import { printFinding } from "./finding.ts";
import { isHostName } from "./settings-address.ts";
import { parseNodeFile } from "./settings-file.ts";

const FILE = `scope: demo
name: n1
etcd3: {hosts: 10.0.0.1:2379, cacert: ca.crt, protocol: https}
postgresql:
  connect_address: 10.0.0.11:5432
  data_dir: data/n1
  bin_dir: ./pg/bin
  krbsrvname: pg
  authentication:
    replication:
      password: secret
      sslmode: verify-ca
      sslcert: client.crt
      sslkey: /keys/client.key
      sslrootcert: system
      sslcrldir: lists
      sslnegotiation: postgres
`;

function read(more = "", text = FILE) {
  const file = parseNodeFile(text + more, "n.yml", { folder: "/srv/patroni/" });
  if (file.kind !== "settings")
    throw new Error(file.kind === "refused" ? file.problems.map(printFinding).join() : file.kind);
  return { ...file.settings, ctl: file.ctl, warnings: file.warnings.map(printFinding) };
}

describe("names of files", () => {
  it("begin in the agent's working directory where they are not whole", () => {
    const { postgres, store, rest, log, watchdog } = read(
      "restapi: {certfile: ./rest.pem}\nlog: {dir: logs}\nwatchdog: {device: pipe}\n",
    );
    expect(postgres).toMatchObject({
      dataDir: "/srv/patroni/data/n1",
      stateDir: "/srv/patroni/data/n1.understudy",
      binDir: "/srv/patroni/pg/bin",
    });
    expect(store.tls).toEqual({ cafile: "/srv/patroni/ca.crt" });
    expect(rest.tls?.certfile).toBe("/srv/patroni/rest.pem");
    expect(log.file).toBe("/srv/patroni/logs/understudy.log");
    expect(watchdog.device).toBe("/srv/patroni/pipe");
  });

  it("in a login too, except the word for the system's own authorities", () => {
    const { postgres, warnings } = read();
    expect(postgres.replication.protection).toEqual({
      sslmode: "verify-ca",
      sslcert: "/srv/patroni/client.crt",
      sslkey: "/keys/client.key",
      sslrootcert: "system",
      sslcrldir: "/srv/patroni/lists",
      krbsrvname: "pg",
    });
    expect(postgres.superuser.protection).toEqual({ krbsrvname: "pg" });
    expect(warnings).toEqual([]);
  });
});

describe("restapi", () => {
  it("may have headers of its own, those for TLS with TLS only", () => {
    const headers = "http_extra_headers: {X-A: a b}, https_extra_headers: {X-A: s, X-B: '1'}";
    expect(read(`restapi: {${headers}}\n`).rest.headers).toEqual({ "x-a": "a b" });
    const { rest, warnings } = read(`restapi: {certfile: /c, ${headers}}\n`);
    expect(rest.headers).toEqual({ "x-a": "s", "x-b": "1" });
    expect(warnings).toEqual([]);
  });

  it("keeps the headers that an answer cannot do without", () => {
    const { rest, warnings } = read("restapi: {http_extra_headers: {Content-Length: 3}}\n");
    expect(rest.headers).toEqual({});
    expect(warnings.join()).toContain("http_extra_headers.Content-Length has no effect");
  });

  it.each([
    ["http_extra_headers: {'X A': b}", "restapi.http_extra_headers.X A cannot be a header"],
    ['http_extra_headers: {X-A: "b\\nX-C: d"}', "restapi.http_extra_headers.X-A cannot be a"],
    ["request_queue_size: 0", "restapi.request_queue_size must be at least 1"],
    ["allowlist: [10.0.0.999]", "is not an IP address, a network or the name of a host"],
    ["allowlist: ['*']", "is not an IP address, a network or the name of a host"],
  ])("refuses %s", (more, words) => {
    expect(() => read(`restapi: {${more}}\n`)).toThrow(words);
  });

  it("lets hosts in by name, and opens keys by password, the command line's too", () => {
    const { rest, ctl, warnings } = read(
      "restapi: {allowlist: [ops.example, 10.0.0.1], certfile: /c, keyfile_password: a, ciphers: HIGH, request_queue_size: 9}\nctl: {certfile: /d, keyfile_password: b}\n",
    );
    expect(rest).toMatchObject({ allowlist: ["ops.example", "10.0.0.1"], queueSize: 9 });
    expect(rest.tls).toMatchObject({ ciphers: "HIGH" });
    expect([rest.tls?.keyPassword?.reveal(), ctl.tls?.keyPassword?.reveal()]).toEqual(["a", "b"]);
    expect(warnings).toEqual([]);
  });
});

describe("the store", () => {
  it("may be named by the DNS alone", () => {
    const named = FILE.replace("hosts: 10.0.0.1:2379", "srv: db.example, srv_suffix: blue");
    const { store, warnings } = read("", named);
    expect([store.endpoints, warnings]).toEqual([[], []]);
    expect(store.discovery).toEqual({ domain: "db.example", suffix: "blue" });
    const older = FILE.replace("hosts: 10.0.0.1:2379", "discovery_srv: db.example");
    expect(read("", older).store.discovery).toEqual({ domain: "db.example" });
    const ported = FILE.replace("hosts: 10.0.0.1:2379", "host: e1, port: 4001");
    expect(read("", ported).store.endpoints).toEqual(["https://e1:4001"]);
    const wrong = FILE.replace("hosts: 10.0.0.1:2379", "srv: 'a b'");
    expect(() => read("", wrong)).toThrow('etcd3.srv must be a name of the DNS, not "a b"');
  });

  it("is reached through etcd's own proxy where one is named", () => {
    const proxy = FILE.replace("hosts: 10.0.0.1:2379", "proxy: 'https://p:1', use_proxies: true");
    const { store, warnings } = read("", proxy);
    expect([store.endpoints, warnings]).toEqual([["https://p:1"], []]);
  });
});

it.each([
  ["ops.example", true],
  ["node_1", true],
  ["10.0.0.1", false],
  ["-a", false],
  ["a..b", false],
  ["a b", false],
  ["x".repeat(254), false],
])("%s is the name of a host: %s", (text, isOne) => {
  expect(isHostName(text)).toBe(isOne);
});
