import { describe, expect, it } from "vitest";
import { printFinding } from "./finding.ts";
import { overridesIn } from "./settings-environment.ts";
import { parseNodeFile } from "./settings-file.ts";

const FILE = `scope: demo
name: n1
etcd3: {hosts: "10.0.0.1:2379"}
postgresql:
  connect_address: 10.0.0.11:5432
  data_dir: /var/lib/demo
  authentication: {replication: {password: secret}}
`;

function read(environment: Record<string, string>, text = FILE) {
  const file = parseNodeFile(text, "n.yml", { environment });
  if (file.kind !== "settings") {
    throw new Error(file.kind === "refused" ? file.problems.map(printFinding).join() : "a router");
  }
  return file;
}

describe("Patroni's variables", () => {
  it("win over the file, each in its section", () => {
    const { settings, ctl, warnings } = read({
      PATRONI_NAME: "n9",
      PATRONI_ETCD3_HOSTS: "e1:2379,e2:2379",
      PATRONI_POSTGRESQL_LISTEN: "0.0.0.0:5433",
      PATRONI_POSTGRESQL_CONNECT_ADDRESS: "10.0.0.9:5433",
      PATRONI_REPLICATION_USERNAME: "repl",
      PATRONI_REPLICATION_PASSWORD: "0123",
      PATRONI_RESTAPI_USERNAME: "u",
      PATRONI_RESTAPI_PASSWORD: "p",
      PATRONI_RESTAPI_ALLOWLIST: "['10.0.0.0/8', '127.0.0.1']",
      PATRONI_CTL_INSECURE: "on",
      PATRONI_LOG_LEVEL: "DEBUG",
    });
    expect(settings.name).toBe("n9");
    expect(settings.store.endpoints).toEqual(["http://e1:2379", "http://e2:2379"]);
    expect(settings.postgres).toMatchObject({
      port: 5433,
      connectAddress: { host: "10.0.0.9", port: 5433 },
      replication: { username: "repl" },
      dataDir: "/var/lib/demo",
    });
    expect(settings.postgres.replication.password?.reveal()).toBe("0123");
    expect(settings.rest).toMatchObject({
      authentication: { username: "u" },
      allowlist: ["10.0.0.0/8", "127.0.0.1"],
    });
    expect(ctl.insecure).toBe(true);
    expect(settings.log.level).toBe("debug");
    expect(warnings).toEqual([]);
  });

  it("alone make a whole file", () => {
    const { settings } = read(
      {
        PATRONI_NAME: "n1",
        PATRONI_SCOPE: "demo",
        PATRONI_NAMESPACE: "/db/",
        PATRONI_ETCD3_HOST: "e1:2379",
        PATRONI_POSTGRESQL_CONNECT_ADDRESS: "10.0.0.9:5432",
        PATRONI_POSTGRESQL_DATA_DIR: "/data",
        PATRONI_REPLICATION_PASSWORD: "x",
      },
      "",
    );
    expect(settings).toMatchObject({ scope: "demo", namespace: "db" });
  });

  it("are checked like the file, and named when there is no place for them", () => {
    const broken = parseNodeFile(FILE, "n.yml", {
      environment: { PATRONI_RESTAPI_LISTEN: "nowhere:x" },
    });
    expect(broken.kind).toBe("refused");
    const misplaced = FILE.replace(/^etcd3.*$/m, "etcd3: text");
    const file = parseNodeFile(misplaced, "n.yml", {
      environment: { PATRONI_ETCD3_HOSTS: "e1:2379" },
    });
    expect(file.kind === "refused" && file.problems.map(printFinding).join()).toMatch(
      /PATRONI_ETCD3_HOSTS sets etcd3.hosts/,
    );
  });

  it("of other programs and sections are none", () => {
    expect(
      overridesIn({ PATRONI_CONSUL_HOST: "x", PATH: "y", PATRONICTL_CONFIG_FILE: "z" }),
    ).toEqual([]);
    expect(overridesIn({ PATRONI_POSTGRESQL_BIN_PG_CTL: "pg" })[0]?.path).toEqual([
      "postgresql",
      "bin_name",
      "pg_ctl",
    ]);
  });
});
