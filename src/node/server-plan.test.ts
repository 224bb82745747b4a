import { expect, test } from "vitest";
import { DEFAULT_CONFIG } from "../model/config.ts";
import type { NodeSettings } from "../model/settings.ts";
import { parseConfig } from "../model/wire/config.ts";
import { planFor } from "./server-plan.ts";

const own = (parameters: Record<string, string>): NodeSettings =>
  ({
    postgres: { parameters, pgHba: [], pgIdent: [] },
    bootstrap: { pgHba: ["local all all peer"] },
  }) as unknown as NodeSettings;

test("the node's own parameters win, except where members must agree", () => {
  const config = { ...DEFAULT_CONFIG, parameters: { work_mem: "8MB", max_connections: "200" } };
  const plan = planFor(config, own({ work_mem: "64MB", max_connections: "50", jit: "off" }));
  expect(plan.parameters).toEqual({ work_mem: "64MB", max_connections: "200", jit: "off" });
});

test("a node's parameter that the cluster does not name holds on that node", () => {
  const plan = planFor(DEFAULT_CONFIG, own({ max_connections: "50" }));
  expect(plan.parameters).toEqual({ max_connections: "50" });
});

test("the rules of the first file stand in where nobody else has any", () => {
  expect(planFor(DEFAULT_CONFIG, own({})).pgHba).toEqual(["local all all peer"]);
});

test("how standbys recover stands below the parameters, and maps of names are the cluster's or the node's own", () => {
  const recovery = { restore_command: "r", archive_cleanup_command: "c", standby_mode: "on" };
  const parameters = { restore_command: "p" };
  const postgresql = { recovery_conf: recovery, parameters, pg_ident: ["m a b"] };
  const parsed = parseConfig({ postgresql }, { mode: "strict" });
  const config = parsed.kind === "ok" ? parsed.config : DEFAULT_CONFIG;
  const plan = planFor(config, own({}));
  expect(plan.parameters).toEqual({ restore_command: "p", archive_cleanup_command: "c" });
  expect(plan.pgIdent).toEqual(["m a b"]);
  const settings = own({});
  const mapped = { ...settings, postgres: { ...settings.postgres, pgIdent: ["m c d"] } };
  expect(planFor(config, mapped).pgIdent).toEqual(["m c d"]);
});

test("logical slots bring the level of WAL that they need, unless the cluster has chosen one", () => {
  const logical = { database: "shop", plugin: "pgoutput" };
  const permanentSlots = [{ name: "cdc", logical, only: undefined }] as const;
  const config = { ...DEFAULT_CONFIG, permanentSlots };
  expect(planFor(config, own({})).parameters).toEqual({
    wal_level: "logical",
    hot_standby_feedback: "on",
  });
  const parameters = { wal_level: "minimal", hot_standby_feedback: "off" };
  expect(planFor({ ...config, parameters }, own({})).parameters).toEqual(parameters);
});

test("with backups every member archives through the gate, and the user's own command runs after it", () => {
  const withBackup = (parameters: Record<string, string>): NodeSettings => ({
    ...own(parameters),
    postgres: { ...own(parameters).postgres, stateDir: "/state" },
    backup: { repositories: [] } as unknown as NonNullable<NodeSettings["backup"]>,
  });
  expect(planFor(DEFAULT_CONFIG, withBackup({})).parameters).toEqual({
    archive_mode: "always",
    archive_command: "'/state/server/vault/gate' %f",
    archive_timeout: "60s",
  });
  const config = {
    ...DEFAULT_CONFIG,
    parameters: { archive_mode: "on", archive_command: "rsync %p far:%f", archive_timeout: "5min" },
  };
  expect(planFor(config, withBackup({})).parameters).toEqual({
    archive_mode: "always",
    archive_command:
      "'/state/server/vault/gate' %f && { test -f standby.signal || { rsync %p far:%f; }; }",
    archive_timeout: "5min",
  });
  expect(planFor(config, own({})).parameters).toEqual(config.parameters);
});
