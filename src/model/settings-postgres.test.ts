// Where Patroni's files put the server's own files, programs and settings: are they found there?
import { describe, expect, it } from "vitest";
import { printFinding } from "./finding.ts";
import { parseNodeFile } from "./settings-file.ts";

const FILE = `scope: demo
name: n1
etcd3: {host: e}
postgresql:
  connect_address: 10.0.0.11:5432
  data_dir: /var/lib/postgresql/15/main
  authentication: {replication: {password: secret}}
`;

function read(more: string) {
  const file = parseNodeFile(FILE + more, "n.yml");
  if (file.kind !== "settings")
    throw new Error(file.kind === "refused" ? file.problems.map(printFinding).join() : file.kind);
  return { settings: file.settings, warnings: file.warnings.map(printFinding) };
}
const postgresOf = (more: string) => read(more).settings.postgres;

describe("configuration of the administrator's", () => {
  it("is where Patroni left it: beside its own, in a folder of its own, or in a file that is named", () => {
    expect(postgresOf("").baseConfig).toBeUndefined();
    expect(postgresOf("  config_dir: /etc/postgresql/15/main/\n").baseConfig).toEqual({
      path: "/etc/postgresql/15/main/postgresql.base.conf",
      isNeeded: false,
    });
    const both = postgresOf("  config_dir: /etc/x\n  custom_conf: conf/mine.conf\n");
    expect(both.baseConfig).toEqual({ path: "/conf/mine.conf", isNeeded: true });
  });

  it("may say in recovery_conf how a standby recovers, and no more", () => {
    const { settings, warnings } = read(
      "  recovery_conf: {restore_command: r, recovery_target_time: t}\n  parameters: {restore_command: p}\n",
    );
    expect(settings.postgres.parameters).toEqual({ restore_command: "p" });
    expect(warnings).toEqual([
      expect.stringContaining(
        "postgresql.recovery_conf.recovery_target_time has no effect: a standby",
      ),
    ]);
  });
});

describe("programs and addresses", () => {
  it("have the names that the file gives them", () => {
    const { settings, warnings } = read(
      "  bin_name: {postgres: postgres.real}\n  proxy_address: 10.0.0.9:6432\n",
    );
    expect(settings.postgres).toMatchObject({
      binNames: { postgres: "postgres.real" },
      proxyAddress: { host: "10.0.0.9", port: 6432 },
    });
    expect(warnings).toEqual([]);
  });

  it.each([
    ["  bin_name: {initdb: ../initdb}\n", "bin_name.initdb must be the name of a program in"],
    ["  proxy_address: 10.0.0.9:99999\n", "proxy_address must be host:port"],
  ])("are refused where they cannot be: %j", (more, words) => {
    expect(() => read(more)).toThrow(words);
  });
});

describe("Debian's own commands", () => {
  const debian = (key: string) =>
    read(
      `  ${key}: [pg_clonecluster]\n  pg_clonecluster: {command: /usr/share/patroni/pg_clonecluster_patroni}\n`,
    );

  it.each(["create_replica_method", "create_replica_methods"])(
    "never drop the old data before a copy is made (%s)",
    (key) => {
      const { settings, warnings } = debian(key);
      expect(settings.postgres.cloneMethods).toEqual(["basebackup"]);
      expect(warnings).toEqual([
        expect.stringContaining("pg_clonecluster.command has no effect: it removes the old data"),
      ]);
    },
  );

  it("in the singular name other commands as well", () => {
    const { settings } = read("  create_replica_method: [mine]\n  mine: {command: /m}\n");
    expect(settings.postgres.cloneMethods).toMatchObject([{ name: "mine", command: "/m" }]);
  });
});
