// The file of one simulated node.
import { DEFAULT_TAGS, type NodeSettings, type Tags } from "../model/settings.ts";

interface Named {
  readonly name: string;
  readonly memberName?: string | undefined;
  readonly tags?: Partial<Tags>;
}

/** Settings of the node on the host `name`; its member has the same name unless another is given. */
export function simSettings(
  { name, memberName = name, tags = {} }: Named,
  config: Readonly<Record<string, unknown>>,
): NodeSettings {
  const credentials = { username: "postgres", password: undefined };
  return {
    scope: "demo",
    name: memberName,
    namespace: "/service",
    rest: {
      listen: { host: name, port: 8008 },
      connectAddress: { host: name, port: 8008 },
      headers: {},
      allowlist: [],
      allowsMembers: false,
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
      binNames: {},
      pgHba: [],
      pgIdent: [],
      basebackupOptions: [],
      cloneMethods: ["basebackup"],
      callbacks: {},
      prePromote: undefined,
      beforeStop: undefined,
      osUser: "postgres",
    },
    bootstrap: { config, initdb: [], method: undefined, pgHba: [], postBootstrap: undefined },
    tags: { ...DEFAULT_TAGS, ...tags },
    watchdog: { mode: "required", device: "", safetyMarginMs: 0, isForTests: false },
    log: { level: "info", file: undefined, isPatronis: false },
  };
}
