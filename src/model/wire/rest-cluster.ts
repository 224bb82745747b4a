// How does the cluster look in `GET /cluster` and `GET /history`, in Patroni's words?
import { type ClusterSnapshot, syncPartOf } from "../cluster.ts";
import { type Lsn, lagBytes, printLsn } from "../lsn.ts";
import type { Member } from "../member.ts";
import { isPausedAt } from "../pause.ts";
import type { JsonObject } from "./json.ts";
import { printScheduledRestart } from "./restart.ts";
import { printRole, printState } from "./role.ts";
import { printTags } from "./tags.ts";

/** Members sorted by name, with lags against the leader's last published end of WAL. */
export function printCluster(
  cluster: ClusterSnapshot,
  { scope, wallMs }: { readonly scope: string; readonly wallMs: number },
): JsonObject {
  const intent = cluster.failover.value;
  const config = cluster.config.value;
  const members = cluster.members.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return {
    members: members.map((member) => printClusterMember(member, cluster)),
    pause: config !== undefined && isPausedAt(config, wallMs) ? true : undefined,
    scheduled_switchover:
      intent?.scheduledAt === undefined
        ? undefined
        : { at: intent.scheduledAt, from: intent.leader, to: intent.candidate },
    scope,
  };
}

function printClusterMember(member: Member, cluster: ClusterSnapshot): JsonObject {
  const leads = cluster.leader?.name === member.name;
  const tags = printTags(member.tags);
  const state = printState(member.state);
  return {
    name: member.name,
    role: leads ? leaderWord(member) : (syncPartOf(cluster, member.name) ?? "replica"),
    state: leads ? state : (member.replicationState ?? state),
    api_url: `${member.apiUrl}/patroni`,
    host: member.host,
    port: member.port,
    timeline: member.timeline,
    ...pendingFields(member),
    scheduled_restart:
      member.scheduledRestart === undefined
        ? undefined
        : printScheduledRestart(member.scheduledRestart),
    tags: Object.keys(tags).length === 0 ? undefined : tags,
    ...(leads ? {} : printLags(member, cluster.status.value.position)),
  };
}

const leaderWord = ({ role }: Member): string =>
  role === "standby leader" ? printRole(role) : "leader";

function printLags(member: Member, end: Lsn | undefined): JsonObject {
  const { receivedLsn, replayedLsn } = member;
  const best = [member.position, receivedLsn, replayedLsn].reduce(
    (a, b) => (a === undefined || (b !== undefined && b > a) ? b : a),
    undefined,
  );
  return {
    ...printLag(["receive_lsn", "receive_lag"], receivedLsn, end),
    ...printLag(["replay_lsn", "replay_lag"], replayedLsn, end),
    ...printLag(["lsn", "lag"], best, end),
  };
}

function printLag(
  [lsnName, lagName]: readonly [string, string],
  at: Lsn | undefined,
  end: Lsn | undefined,
): JsonObject {
  return {
    [lsnName]: at === undefined ? "unknown" : printLsn(at),
    [lagName]: at === undefined || end === undefined ? "unknown" : lagBytes(end, at),
  };
}

/** Which parameters wait for a restart; no fields at all when none does. */
export function pendingFields({ pendingRestart }: Member): JsonObject {
  if (pendingRestart.length === 0) return {};
  const reasons = pendingRestart.map((p) => [
    p.parameter,
    { old_value: p.oldValue, new_value: p.newValue },
  ]);
  return { pending_restart: true, pending_restart_reason: Object.fromEntries(reasons) as unknown };
}
