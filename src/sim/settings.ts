// The file of one simulated node.
import { DEFAULT_TAGS, type NodeSettings, type Tags } from "../model/settings.ts";

/** Settings of the node `name`, whose host has the same name. */
export function simSettings(
  name: string,
  config: Readonly<Record<string, unknown>>,
  tags: Partial<Tags> = {},
): NodeSettings {
  const credentials = { username: "postgres", password: undefined };
  return {
    scope: "demo",
    name,
    namespace: "/service",
    rest: {
      listen: { host: name, port: 8008 },
      connectAddress: { host: name, port: 8008 },
      allowlist: [],
    },
    store: { kind: "etcd", endpoints: [] },
    postgres: {
      listen: [name],
      port: 5432,
      connectAddress: { host: name, port: 5432 },
      dataDir: "/data",
      stateDir: "/data.understudy",
      binDir: "",
      socketDir: "/run",
      database: "postgres",
      superuser: credentials,
      replication: { username: "replicator", password: undefined },
      rewind: undefined,
      parameters: {},
      pgHba: [],
      pgIdent: [],
      basebackupOptions: [],
      removeDataDirectoryOnDivergedTimelines: false,
      osUser: "postgres",
    },
    bootstrap: { config, initdb: [], pgHba: [], postBootstrap: undefined },
    tags: { ...DEFAULT_TAGS, ...tags },
    watchdog: { mode: "off", device: "", safetyMarginMs: 0 },
    log: { level: "info", file: undefined },
  };
}
