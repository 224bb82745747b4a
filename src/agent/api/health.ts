// Is this member what a health check asks for? Pure, and answered from memory alone.

import { syncPartOf } from "../../model/cluster.ts";
import { valueOf } from "../../model/known.ts";
import { isValid } from "../../model/lease.ts";
import { type Lsn, lagBytes, maxLsn } from "../../model/lsn.ts";
import type { SqlState } from "../../model/server.ts";
import { after, between, type Instant } from "../../model/time.ts";
import { type HealthCheck, healthCheckOf, lagLimit } from "../../model/wire/rest-health.ts";
import { printTags } from "../../model/wire/tags.ts";
import type { View } from "./node-view.ts";

/** Whom is asked, when, and with which parameters. */
export interface Asked {
  readonly view: View;
  readonly now: Instant;
  readonly query: URLSearchParams;
}

/** 200 or 503 for any path that is not an endpoint of its own. */
export function healthStatus(path: string, asked: Asked): number {
  const check = healthCheckOf(path);
  const takesTags = check !== "leader" && check !== "primary" && check !== "standby-leader";
  const good = passes(check, asked);
  return good && (!takesTags || tagsMatch(asked.view, asked.query)) ? 200 : 503;
}

function passes(check: HealthCheck, { view, now, query }: Asked): boolean {
  switch (check) {
    case "primary":
      return isWritable(view, now);
    case "leader":
      return isWritable(view, now) || leadsStandbys(view, now);
    case "standby":
      return isGoodStandby(view, query);
    case "async":
      return syncPart(view) === undefined && isGoodStandby(view, query);
    case "sync":
      return syncPart(view) === "sync_standby" && isGoodStandby(view, query);
    case "quorum":
      return syncPart(view) === "quorum_standby" && isGoodStandby(view, query);
    case "read-only":
      return passes("leader", { view, now, query }) || isGoodStandby(view, query);
    case "read-only-sync":
      return passes("leader", { view, now, query }) || passes("sync", { view, now, query });
    case "read-only-quorum":
      return passes("leader", { view, now, query }) || passes("quorum", { view, now, query });
    case "running":
      return view.member.state === "running";
    case "standby-leader":
      return leadsStandbys(view, now);
    case "none":
      return false;
    default:
      return check satisfies never;
  }
}

/** What this member is for the commits of the primary, as the store says. */
export const syncPart = (view: View): ReturnType<typeof syncPartOf> =>
  view.cluster === undefined ? undefined : syncPartOf(view.cluster.seen, view.member.name);

const sqlOf = (view: View): SqlState | undefined =>
  view.server === undefined ? undefined : valueOf(view.server.seen.sql);

/** The server takes writes: it runs, answers, and is not in recovery. */
export function acceptsWrites(view: View): boolean {
  const process = view.server?.seen.process;
  if (process?.kind !== "running" || process.accepting !== "yes") return false;
  // The fence learns of a dead postmaster before the loop has looked again.
  if (process.guarded && view.fence.serverPid === undefined) return false;
  return sqlOf(view)?.inRecovery === false;
}

/**
 * Stricter than Patroni: the lease must be valid at this moment and the server must take writes. A primary that a pause
 * lets run without its fence needs no lease; there the role decides, as in Patroni.
 */
export function isWritable(view: View, now: Instant): boolean {
  if (!acceptsWrites(view)) return false;
  const isFree = view.fence.unguarded !== undefined && view.member.role === "primary";
  return isValid(view.lease, now) || isFree;
}

/** The leader of a cluster that follows another site: under its lease, and never a writer. */
function leadsStandbys({ member, lease }: View, now: Instant): boolean {
  return member.role === "standby leader" && member.state === "running" && isValid(lease, now);
}

function isGoodStandby(view: View, query: URLSearchParams): boolean {
  const { member } = view;
  if (member.role !== "standby" || member.state !== "running" || member.tags.noloadbalance) {
    return false;
  }
  const wanted = query.get("replication_state");
  if (wanted !== null && wanted !== member.replicationState) return false;
  const limit = lagLimit(query.get("lag"));
  return limit === undefined || lagOf(view, "apply") <= limit;
}

/** Bytes behind the furthest position that we know of; nothing known counts as caught up, as in Patroni. */
function lagOf(view: View, mode: "apply" | "write"): number {
  const sql = sqlOf(view);
  const published = view.cluster?.seen.status.value.position;
  const received = sql?.receivedLsn;
  const end = [published, received].reduce<Lsn | undefined>(
    (a, b) => (a === undefined || b === undefined ? (a ?? b) : maxLsn(a, b)),
    undefined,
  );
  const mine = mode === "apply" ? sql?.replayedLsn : (received ?? sql?.replayedLsn);
  if (end === undefined) return 0;
  return mine === undefined ? Number.POSITIVE_INFINITY : lagBytes(end, mine);
}

/** `tag_zone=a`: every one asked for must be there with that value, compared as lower-cased text. */
function tagsMatch(view: View, query: URLSearchParams): boolean {
  const tags = printTags(view.member.tags);
  return [...query].every(([name, wanted]) => {
    if (!name.startsWith("tag_")) return true;
    const value = tags[name.slice("tag_".length)];
    if (value === undefined) return false;
    return typeof value === "string"
      ? value === wanted
      : JSON.stringify(value).toLowerCase() === wanted.toLowerCase();
  });
}

/** Does the loop still turn? A paused cluster is alive by definition. */
export function livenessStatus(view: View, now: Instant): number {
  if (view.config.paused) return 200;
  const { nextTickAt } = view.loop;
  if (nextTickAt === undefined) return 503;
  const patience = view.config.ttlMs * (acceptsWrites(view) ? 1 : 2);
  return between(now, after(nextTickAt, patience)) > 0 ? 200 : 503;
}

/** May clients be sent here? The primary always; a standby while it streams and keeps up. */
export function readinessStatus({ view, now, query }: Asked): number {
  if (isWritable(view, now)) return 200;
  const { member, config } = view;
  if (member.state !== "running" || member.replicationState !== "streaming") return 503;
  const limit = lagLimit(query.get("lag")) ?? config.maximumLagOnFailover;
  const mode = query.get("mode") === "write" ? "write" : "apply";
  return lagOf(view, mode) <= limit ? 200 : 503;
}
