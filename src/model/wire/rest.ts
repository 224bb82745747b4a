// How does a member answer `GET /patroni`, and how do the others read that answer?
import { type ClusterSnapshot, syncPartOf } from "../cluster.ts";
import { parseLsn, printLsn } from "../lsn.ts";
import type { Member, PeerStatus } from "../member.ts";
import type { SqlState } from "../server.ts";
import { parseLineage, printLineage } from "./dcs.ts";
import { booleanIn, integerIn, isObject, type JsonObject, parseJson, textIn } from "./json.ts";
import { lsnIn } from "./member.ts";
import { pendingFields } from "./rest-cluster.ts";
import { printScheduledRestart } from "./restart.ts";
import { parseRole, parseState, printRole, printState } from "./role.ts";
import { parseTags, printTags } from "./tags.ts";

/** Everything that the answer is made of. */
export interface OwnStatus {
  readonly scope: string;
  readonly agentVersion: string;
  /** The version by which Patroni's readers decide how to treat us. */
  readonly patroniVersion: string;
  readonly member: Member;
  readonly peer: PeerStatus;
  readonly sql: SqlState | undefined;
  readonly systemId: string | undefined;
  readonly cluster: ClusterSnapshot | undefined;
  readonly paused: boolean;
  /** Wall-clock seconds at which the store was last read; 0 for never. */
  readonly storeSeenS: number;
  readonly because: string | undefined;
}

function syncField(cluster: ClusterSnapshot, name: string): JsonObject {
  const part = syncPartOf(cluster, name);
  return part === undefined ? {} : { [part]: true };
}

/** The answer's fields; WAL positions are bigints, so print it with `printJson`. */
export function printPatroni(own: OwnStatus): JsonObject {
  const { member, sql, cluster } = own;
  const tags = printTags(member.tags);
  const isStandby = member.role !== "primary" && sql?.inRecovery === true;
  return {
    state: printState(member.state),
    postmaster_start_time: sql === undefined ? undefined : withMinutes(sql.startedAtText),
    role: printRole(member.role),
    server_version: sql?.version,
    xlog: sql === undefined ? undefined : printWal(sql),
    timeline: sql?.timeline,
    replication_state: isStandby ? member.replicationState : undefined,
    replication: sql === undefined || sql.senders.length === 0 ? undefined : printSenders(sql),
    ...(cluster !== undefined && isStandby ? syncField(cluster, member.name) : {}),
    pause: own.paused ? true : undefined,
    cluster_unlocked: cluster !== undefined && cluster.leader === undefined ? true : undefined,
    promised_term: own.peer.promisedTerm,
    watchdog_failed: own.peer.watchdogFailed ? true : undefined,
    ...pendingFields(member),
    scheduled_restart: scheduledField(member),
    tags: Object.keys(tags).length === 0 ? undefined : tags,
    database_system_identifier: own.systemId,
    dcs_last_seen: own.storeSeenS,
    patroni: { version: own.patroniVersion, scope: own.scope, name: member.name },
    understudy: {
      agent: own.agentVersion,
      because: own.because,
      position: own.peer.position === undefined ? undefined : printLsn(own.peer.position),
      unfit: own.peer.unfit,
      lineage: JSON.parse(printLineage(own.peer.lineage)) as unknown,
    },
  };
}

function scheduledField({ scheduledRestart: planned }: Member): JsonObject | undefined {
  if (planned === undefined) return undefined;
  const { postmaster_start_time: _, ...fields } = printScheduledRestart(planned);
  return fields;
}

/** PostgreSQL writes whole-hour zones as `+00`; readers expect `+00:00`. */
const withMinutes = (moment: string): string => moment.replace(/([+-]\d{2})$/, "$1:00");

function printWal(sql: SqlState): JsonObject {
  if (!sql.inRecovery) return { location: sql.position };
  return {
    received_location: sql.receivedLsn ?? sql.replayedLsn,
    replayed_location: sql.replayedLsn,
    replayed_timestamp: sql.replayedAtText ?? null,
    paused: sql.replayPaused,
  };
}

const printSenders = (sql: SqlState): readonly JsonObject[] =>
  sql.senders.map((sender) => ({
    usename: sender.user,
    application_name: sender.name,
    client_addr: sender.clientAddress,
    state: sender.state,
    sync_state: sender.syncState,
    sync_priority: 0,
  }));

/**
 * Reads another member's answer; undefined when it is not one. A member of Patroni's says neither its lineage
 * nor whether its position is exhausted: the lineage stays empty, and the position is the largest it names.
 */
export function parsePatroni(text: string): PeerStatus | undefined {
  const value = parseJson(text);
  if (!isObject(value)) return undefined;
  const about = isObject(value["patroni"]) ? value["patroni"] : {};
  // Patroni says its name since 3.2; whoever asks knows whom.
  const name = textIn(about["name"]) ?? (textIn(about["version"]) === undefined ? undefined : "");
  if (name === undefined) return undefined;
  const own = isObject(value["understudy"]) ? value["understudy"] : undefined;
  return {
    name,
    role: parseRole(value["role"]),
    state: parseState(value["state"]),
    position: own === undefined ? foreignPosition(value) : parseLsn(textIn(own["position"]) ?? ""),
    timeline: integerIn(value["timeline"]),
    lineage: parseLineage(JSON.stringify(own?.["lineage"] ?? [])) ?? [],
    tags: parseTags(value["tags"]),
    unfit: textIn(own?.["unfit"]),
    watchdogFailed: booleanIn(value["watchdog_failed"]) ?? false,
    promisedTerm: integerIn(value["promised_term"]),
  };
}

function foreignPosition(value: JsonObject): PeerStatus["position"] {
  const wal = isObject(value["xlog"]) ? value["xlog"] : value["wal"];
  if (!isObject(wal)) return undefined;
  const named = ["location", "received_location", "replayed_location"].flatMap(
    (field) => lsnIn(wal[field]) ?? [],
  );
  return named.reduce<PeerStatus["position"]>(
    (best, at) => (best === undefined || at > best ? at : best),
    undefined,
  );
}
