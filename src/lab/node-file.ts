// What does a lab node's own file say? (Patroni's form, as anyone would write it by hand)
import { stringify } from "yaml";
import { APP_DATABASE, type LabOptions } from "./layout.ts";
import type { LabMember, LabRecord, LabRouter } from "./record.ts";

/** Keys of the dynamic configuration that `--set` may name plainly; anything else is a server parameter. */
const DYNAMIC = new Set([
  "ttl",
  "loop_wait",
  "retry_timeout",
  "maximum_lag_on_failover",
  "check_timeline",
  "failover",
  "primary_start_timeout",
  "primary_stop_timeout",
  "synchronous_mode",
  "synchronous_mode_strict",
  "synchronous_node_count",
  "failsafe_mode",
  "isolation_timeout",
  "max_timelines_history",
]);

/**
 * Small servers, and everything that one leaves when it is killed lies in its directory: with `mmap`
 * no shared memory file stays behind in /dev/shm.
 */
const PARAMETERS = { shared_buffers: "64MB", dynamic_shared_memory_type: "mmap" } as const;

/** A long report on a standby is ended by replay after this; the default of 30 s is for short reads. */
const REPORT_PARAMETERS = { max_standby_streaming_delay: "1h" } as const;

/** Two folders outside of every node's play a disk beside the servers and a store at another site. */
export const REPOSITORIES = ["near", "far"] as const;

/** Where a repository of the lab lies. */
export const repositoryDir = (lab: Pick<LabRecord, "dir">, name: string): string =>
  `${lab.dir}/repositories/${name}`;

/** What all nodes say of the repositories, and of what is done with them unasked. */
const backupSection = (lab: LabRecord, { schedules }: LabOptions) => ({
  repositories: {
    near: { directory: repositoryDir(lab, "near") },
    far: { directory: repositoryDir(lab, "far"), storage: "other-site", off_site: true },
  },
  ...(schedules ? { retention: { base: { count: 3 } }, schedules: BY_THEMSELVES } : {}),
});

/** What has never run is made up for at once, so a new lab begins with a backup and its drill. */
const BY_THEMSELVES = { base: { every: "12h" }, drill: { every: "12h" }, expire: { every: "12h" } };

/** The YAML of one node. */
export function nodeFile(lab: LabRecord, member: LabMember, options: LabOptions): string {
  const everywhere = member.address !== member.clusterAddress;
  const listen = everywhere ? `${member.clusterAddress},${member.address}` : member.address;
  return stringify({
    scope: lab.scope,
    name: member.name,
    restapi: {
      listen: `${everywhere ? "0.0.0.0" : member.address}:${member.restPort}`,
      connect_address: `${member.clusterAddress}:${member.restPort}`,
    },
    etcd3: { hosts: lab.etcd.map((etcd) => etcd.clientUrl.replace("http://", "")) },
    bootstrap: { dcs: dynamicConfig(options), initdb: ["data-checksums", { encoding: "UTF8" }] },
    postgresql: {
      listen: `${listen}:${member.port}`,
      connect_address: `${member.clusterAddress}:${member.port}`,
      data_dir: member.dataDir,
      ...(member.name === options.report ? { parameters: REPORT_PARAMETERS } : {}),
      authentication: {
        superuser: { username: lab.user, password: lab.password },
        replication: { username: "replicator", password: lab.password },
      },
      pg_hba: [
        "local all all scram-sha-256",
        "host all all all scram-sha-256",
        "host replication all all scram-sha-256",
      ],
    },
    ...(member.name === options.report ? { tags: { report: true } } : {}),
    ...(options.backup ? { backup: backupSection(lab, options) } : {}),
    log: { file: member.log },
    understudy: { state_dir: member.stateDir, socket_dir: member.socketDir },
  });
}

/** The YAML of a router: everything goes to one database, over the usual three routes. */
export function routerFile(
  lab: LabRecord,
  router: LabRouter,
  options: Pick<LabOptions, "availability">,
): string {
  const { address, clusterAddress, ports, runDir } = router;
  const isApart = address !== clusterAddress;
  const at = (port: number): string => `${address}:${port}`;
  return stringify({
    scope: lab.scope,
    name: router.name,
    restapi: {
      listen: `${isApart ? "0.0.0.0" : address}:${router.restPort}`,
      connect_address: `${clusterAddress}:${router.restPort}`,
    },
    etcd3: { hosts: lab.etcd.map((etcd) => etcd.clientUrl.replace("http://", "")) },
    router: {
      pgbouncer: {
        listen: at(ports.pooled),
        dir: `${runDir}/pgbouncer`,
        auth: { type: "scram-sha-256", file: router.usersFile },
        databases: {
          [APP_DATABASE]: { route: "write", dbname: APP_DATABASE },
          [`${APP_DATABASE}_ro`]: { route: "read", dbname: APP_DATABASE },
          [`${APP_DATABASE}_report`]: { route: "report", dbname: APP_DATABASE },
        },
      },
      haproxy: {
        dir: `${runDir}/haproxy`,
        write: at(ports.write),
        read: at(ports.read),
        report: at(ports.report),
        stats: at(ports.stats),
      },
    },
    ...(options.availability ? { availability: availabilityOf(lab, router) } : {}),
    log: { file: router.log },
    understudy: { state_dir: `${runDir}/state` },
  });
}

/** A probe over each way that clients take; its table lies in their database. */
const availabilityOf = ({ members, user, password }: LabRecord, { address, ports }: LabRouter) => ({
  database: APP_DATABASE,
  username: user,
  password,
  paths: {
    direct: members.map((member) => `${member.address}:${member.port}`),
    pooled: `${address}:${ports.pooled}`,
    balanced: `${address}:${ports.write}`,
  },
});

/** Whom the pooler lets in, and as whom it logs in to the servers. */
export const usersText = ({ user, password }: LabRecord): string => `"${user}" "${password}"\n`;

/** The first dynamic configuration: timings that fit the ttl, and what `--set` asks for. */
export function dynamicConfig({
  ttlSeconds,
  set,
  follows,
}: Pick<LabOptions, "ttlSeconds" | "set" | "follows">): Record<string, unknown> {
  const loopWait = Math.max(1, Math.min(2, Math.floor(ttlSeconds / 5)));
  const retryTimeout = Math.max(1, Math.min(3, Math.floor((ttlSeconds - loopWait) / 2)));
  const parameters: Record<string, string> = { ...PARAMETERS };
  const own: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(set)) {
    if (DYNAMIC.has(key)) own[key] = plain(value);
    else parameters[key] = value;
  }
  return {
    ttl: ttlSeconds,
    loop_wait: loopWait,
    retry_timeout: retryTimeout,
    ...(follows === undefined ? {} : { standby_cluster: siteOf(follows) }),
    ...own,
    postgresql: { use_pg_rewind: true, use_slots: true, parameters },
  };
}

/** All hosts of the other lab: whichever takes writes is followed. */
export const siteOf = ({ members }: Pick<LabRecord, "members">) => ({
  host: members.map(({ clusterAddress }) => clusterAddress).join(","),
  port: members[0]?.port,
});

/** A number or a truth value when the text is one. */
function plain(text: string): unknown {
  if (text === "true" || text === "false") return text === "true";
  return /^-?\d+$/.test(text) ? Number(text) : text;
}
