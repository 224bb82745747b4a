// Can the node reach the store and the others, who can reach it, and is there a way back?
import { printBytes } from "../amounts.ts";
import { type Check, when } from "./check.ts";
import { onServer } from "./checks-postgres.ts";
import type { NodeFacts, StoreEndpointFacts } from "./facts.ts";

/** A renewal takes two of them; a lease of ten seconds is renewed every two. */
const STORE_SLOW_MS = 100;
const MEGABYTE = 1024 ** 2;
/** etcd takes no more writes at 2 GB, unless told otherwise. */
const STORE_LARGE = 1_500 * MEGABYTE;
const STORE_SMALL = 100 * MEGABYTE;
const PEER_SLOW_MS = 20;

const answering = ({ store }: NodeFacts): readonly StoreEndpointFacts[] =>
  store.filter(({ trouble }) => trouble === "");

export const STORE_CHECKS: readonly Check[] = [
  {
    id: "store_silent",
    group: "store",
    severity: "critical",
    wanted: "more than half of the store's endpoints answer",
    why: "without a quorum nobody can take over, and soon nobody leads",
    fix: "start etcd, or repair the network to it",
    found: ({ store }) => {
      const silent = store.filter(({ trouble }) => trouble !== "");
      const found = silent.map(({ endpoint, trouble }) => `${endpoint}: ${trouble}`);
      return when(store.length > 0 && silent.length * 2 >= store.length, found.join("; "));
    },
  },
  {
    id: "store_endpoint_silent",
    group: "store",
    severity: "warning",
    wanted: "every endpoint answers",
    why: "one more failure and there is no quorum",
    fix: "start that member of etcd, or take it out of the node's file",
    found: ({ store }) => {
      const silent = store.filter(({ trouble }) => trouble !== "");
      if (silent.length * 2 >= store.length) return [];
      return silent.map(({ endpoint, trouble }) => `${endpoint}: ${trouble}`);
    },
  },
  {
    id: "store_no_leader",
    group: "store",
    severity: "critical",
    wanted: "a leader in etcd",
    why: "the store takes no writes: leases cannot be renewed",
    fix: "start the missing members of etcd until more than half run",
    found: (facts) =>
      answering(facts)
        .filter(({ hasLeader }) => !hasLeader)
        .map(({ endpoint }) => `${endpoint} knows no leader`),
  },
  {
    id: "store_one_endpoint",
    group: "store",
    severity: "warning",
    wanted: "all members of etcd in the node's file",
    why: "when that one endpoint is away, the agent is blind although the store is well",
    fix: "name every member in etcd3.hosts",
    found: (facts) => {
      const [only, ...more] = facts.store;
      if (only === undefined || more.length > 0) return [];
      return when(only.members > 1, `one endpoint of ${only.members}`);
    },
  },
  {
    id: "store_members",
    group: "store",
    severity: "warning",
    wanted: "three or five members",
    why: "one member, or two, survive no failure at all; an even number survives no more than one less",
    fix: "add members with etcdctl member add",
    found: (facts) => {
      const members = Math.max(0, ...answering(facts).map((one) => one.members));
      return when(
        members > 0 && (members < 3 || members % 2 === 0),
        members === 1 ? "one member" : `${members} members`,
      );
    },
  },
  {
    id: "store_slow",
    group: "store",
    severity: "warning",
    wanted: `answers within ${STORE_SLOW_MS} ms`,
    why: "leases are renewed late, and a short disturbance ends them",
    fix: "give etcd a fast disk of its own; raise ttl",
    found: (facts) =>
      answering(facts)
        .filter(({ latencyMs }) => latencyMs > STORE_SLOW_MS)
        .map(({ endpoint, latencyMs }) => `${endpoint}: ${Math.round(latencyMs)} ms`),
  },
  {
    id: "store_alarm",
    group: "store",
    severity: "critical",
    wanted: "no alarm",
    why: "with a space alarm the store takes no writes; with a damaged one it cannot be trusted",
    fix: "compact and defragment, then etcdctl alarm disarm; replace a corrupt member",
    found: (facts) => [...new Set(answering(facts).flatMap(({ alarms }) => alarms))],
  },
  {
    id: "store_large",
    group: "store",
    severity: "warning",
    wanted: `a database below ${printBytes(STORE_LARGE)}`,
    why: "at its quota (2 GB unless set) etcd takes no writes",
    fix: "turn on auto-compaction, then etcdctl defrag, one member after another",
    found: (facts) =>
      answering(facts)
        .filter(({ sizeBytes }) => sizeBytes > STORE_LARGE)
        .map(({ endpoint, sizeBytes }) => `${endpoint}: ${printBytes(sizeBytes)}`),
  },
  {
    id: "store_fragmented",
    group: "store",
    severity: "notice",
    wanted: "more than half of its file in use",
    why: "the file counts against the quota, not what is in it",
    fix: "etcdctl defrag, one member after another, the leader last",
    found: (facts) =>
      answering(facts)
        .filter(({ sizeBytes, usedBytes }) => sizeBytes > STORE_SMALL && usedBytes < sizeBytes / 2)
        .map(
          ({ endpoint, sizeBytes, usedBytes }) =>
            `${endpoint}: ${printBytes(usedBytes)} in a file of ${printBytes(sizeBytes)}`,
        ),
  },
  {
    id: "store_versions",
    group: "store",
    severity: "notice",
    wanted: "one version on all members",
    why: "an upgrade that was left half done",
    fix: "upgrade the older members",
    found: (facts) => {
      const versions = new Set(answering(facts).map(({ version }) => version));
      return when(versions.size > 1, [...versions].toSorted().join(" and "));
    },
  },
];

export const NETWORK_CHECKS: readonly Check[] = [
  {
    id: "network_unreachable",
    group: "network",
    severity: "critical",
    wanted: "every member reaches every other one",
    why: "a standby that cannot be asked cannot be judged, and one that cannot reach the primary cannot follow it",
    fix: "open the port between the hosts; check the address that the member publishes",
    found: ({ peers }) =>
      peers
        .filter(({ trouble }) => trouble !== "")
        .map(({ name, door, address, trouble }) => `${name} (${door}, ${address}): ${trouble}`),
  },
  {
    id: "network_slow",
    group: "network",
    severity: "notice",
    wanted: `connections within ${PEER_SLOW_MS} ms`,
    why: "with synchronous replication every commit waits this long",
    fix: "place members closer together, or leave synchronous mode to the near ones (nosync tag)",
    found: ({ peers }) =>
      peers
        .filter(({ trouble, latencyMs }) => trouble === "" && latencyMs > PEER_SLOW_MS)
        .map(({ name, door, latencyMs }) => `${name} (${door}): ${Math.round(latencyMs)} ms`),
  },
];

export const SECURITY_CHECKS: readonly Check[] = [
  {
    id: "security_loose_file",
    group: "security",
    severity: "warning",
    wanted: "files with secrets that only their owner and his group can read",
    why: "every user of this host can read the passwords of the database",
    fix: "chmod 0640; understudy doctor --fix does it",
    found: ({ security }) =>
      security.looseFiles.map(({ path, mode }) => `${path} has mode 0${mode.toString(8)}`),
  },
  {
    id: "security_rest_open",
    group: "security",
    severity: "critical",
    wanted: "restapi.authentication, an allowlist or client certificates",
    why: "whoever reaches the port can switch over, restart and rebuild",
    fix: "set restapi.authentication in every node's file, and reload",
    found: ({ security: { restHasPassword, restIsLimited, restIsLocal } }) =>
      when(
        !restHasPassword && !restIsLimited && !restIsLocal,
        "the REST API takes orders from anybody",
      ),
  },
  {
    id: "security_rest_plain",
    group: "security",
    severity: "warning",
    wanted: "restapi.certfile and keyfile",
    why: "the password of the REST API travels in clear",
    fix: "give the REST API a certificate",
    found: ({ security: { restHasPassword, restIsEncrypted, restIsLocal } }) =>
      when(restHasPassword && !restIsEncrypted && !restIsLocal, "the REST API speaks plain HTTP"),
  },
  {
    id: "security_store_open",
    group: "security",
    severity: "warning",
    wanted: "TLS or a password in the store, unless it listens on this host alone",
    why: "whoever reaches the store can take the leadership away",
    fix: "turn on authentication or client certificates in etcd, and name them in etcd3",
    found: ({ security: { storeHasPassword }, store }) => {
      const open = store.filter(
        ({ endpoint, isEncrypted }) =>
          !isEncrypted && !/\/\/(?:127\.|\[::1\]|localhost)/.test(endpoint),
      );
      return when(!storeHasPassword && open.length > 0, `${open[0]?.endpoint} asks for nothing`);
    },
  },
  {
    id: "security_md5",
    group: "security",
    severity: "warning",
    wanted: "passwords kept as scram-sha-256",
    why: "an md5 verifier that is stolen is as good as the password",
    fix: "set password_encryption = scram-sha-256, then set each password again",
    found: onServer(({ md5Roles }) =>
      when(md5Roles.length > 0, `${md5Roles.join(", ")}: kept as md5`),
    ),
  },
  {
    id: "security_hba_open",
    group: "security",
    severity: "critical",
    wanted: "scram-sha-256 or certificates for everybody who comes over the network",
    why: "anybody is let in without a password, or shows it in clear",
    fix: "change the rule in postgresql.pg_hba, and reload",
    found: onServer(({ openHbaRules }) => openHbaRules),
  },
];

export const BACKUP_CHECKS: readonly Check[] = [
  {
    id: "backup_none",
    group: "backup",
    severity: "warning",
    wanted: "a repository for backups and WAL",
    why: "standbys repeat every mistake within milliseconds: a dropped table is gone everywhere",
    fix: "describe one in the section backup of the node's file",
    found: ({ backup, ground }) =>
      when(ground !== undefined && !backup.isConfigured, "no backup is configured"),
  },
  {
    id: "backup_archiving",
    group: "backup",
    severity: "critical",
    wanted: "an archive that takes WAL",
    why: "nothing can be restored to a moment after the last archived segment, and WAL fills the disk",
    fix: "read the server log for what archive_command said",
    found: onServer(({ archiver }) =>
      when(archiver.isFailing, `${archiver.lastFailed} could not be archived`),
    ),
  },
];
