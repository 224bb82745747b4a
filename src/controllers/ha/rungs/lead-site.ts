// I hold the lease of a cluster that follows another site: I stream from there, and the others from me.
//
// Nothing here opens a server to writes. That begins only when `standby_cluster` is gone from the configuration, in the
// same look that shows the lease: then leading is a promotion like any other.
import type { Lease } from "../../../model/lease.ts";
import { after } from "../../../model/time.ts";
import { compareLineage } from "../../../model/timeline.ts";
import { STOP_STANDBY_MS } from "../limits.ts";
import { told } from "../plans/own-record.ts";
import { reservedIn } from "../plans/promotion.ts";
import { rebuild } from "../plans/rejoin.ts";
import {
  followsSite,
  remoteOf,
  remoteSource,
  siteFeed,
  siteTrouble,
  siteUpstream,
} from "../plans/site.ts";
import { cleanEnd, clusterOf, type Source, sqlOf, upstreamOf } from "../plans/standing.ts";
import { startStandby } from "../plans/starting.ts";
import { primaryStopMs } from "../plans/stopping.ts";
import {
  isSwitchoverDue,
  switchoverCandidate,
  switchoverIntent,
  switchoverProblem,
} from "../plans/switchover.ts";
import { unused } from "../plans/unused.ts";
import { siteUpkeep } from "../plans/upkeep.ts";
import type { HaWorld } from "../world.ts";
import type { Verdict } from "./rung.ts";

const COPY_RETRY_MS = 5_000;
/** So many starts may fail before another member shall try. */
const MOST_FAILURES = 3;

/** The standby leader's server runs and answers. */
export function leadSite(w: HaWorld, lease: Lease): Verdict {
  return (
    restart(w) ??
    newTerm(w, lease) ??
    handOver(w, lease) ??
    freeElection(w, lease) ??
    repoint(w, lease) ??
    rejoin(w, lease) ??
    steady(w, lease)
  );
}

/** A primary that shall become a standby of the other site; undefined while that could not take place. */
export function demotion(w: HaWorld): Verdict | undefined {
  if (!followsSite(w) || siteTrouble(w) !== undefined) return undefined;
  return {
    because: "site_demoting",
    detail: `to follow ${siteUpstream(w)?.member ?? "?"}`,
    step: { kind: "stop", timeoutMs: primaryStopMs(w.config), heirApiUrl: undefined },
    vouch: true,
  };
}

/**
 * The cluster follows nobody any more, and the winner still receives from the other site: it stops that before it
 * compares itself with the others, or they would seem to be ahead by what has come in between.
 */
export function partFromSite(w: HaWorld): Verdict | undefined {
  const upstream = sqlOf(w)?.upstream;
  if (upstream === undefined || upstream !== w.memory.siteFollowed) return undefined;
  const step = { kind: "follow", upstream: undefined } as const;
  return { because: "site_parting", detail: upstream, step, vouch: true };
}

/** The server of whoever leads here is down: back to the other site, by a rewind or a copy where it has left its history. */
export function recoverSite(w: HaWorld, lease: Lease): Verdict {
  const source = siteTrouble(w) === undefined ? remoteSource(w, lease.term) : undefined;
  if (source !== undefined && w.requests.reinitialise !== undefined) return copyAgain(w, source);
  if (source !== undefined) {
    const end = w.server.standbySignal ? undefined : cleanEnd(w);
    const isLost = !w.server.standbySignal && end === undefined;
    const hasMore =
      end !== undefined && compareLineage(w.server.lineage, end, source.lineage) === "diverged";
    if (w.memory.divergedFrom === lease.term || isLost || hasMore)
      return { ...rebuild(w, source), vouch: true };
  }
  if (w.memory.startFailures >= MOST_FAILURES) {
    const detail = `its server did not start: ${w.outcomes["start-standby"]?.why ?? ""}`;
    return { because: "lead_not_eligible", detail, ...unused(w, lease) };
  }
  return { ...startStandby(w, "starting_standby", siteFeed(w, lease.term)), vouch: true };
}

/** Asked for by a person, most likely because the WAL that this site needs is gone: no member here has it either. */
function copyAgain(w: HaWorld, source: Source): Verdict {
  const failed = w.outcomes["clone"];
  const retryAt = failed?.ok === false ? after(failed.at, COPY_RETRY_MS) : w.now;
  if (w.now < retryAt)
    return { because: "clone_waiting", detail: failed?.why ?? "", vouch: true, wakeAt: retryAt };
  const step = { kind: "clone", from: upstreamOf(w, source), lineage: source.lineage } as const;
  return { because: "reinitialising", detail: `from ${source.member.name}`, step, vouch: true };
}

function restart(w: HaWorld): Verdict | undefined {
  const step = { kind: "stop", timeoutMs: STOP_STANDBY_MS, heirApiUrl: undefined } as const;
  const isCopied = w.requests.reinitialise !== undefined && siteTrouble(w) === undefined;
  if (isCopied) return { because: "reinitialising", step, vouch: true };
  if (w.requests.restart === undefined) return undefined;
  return { because: "standby_restarting", step, vouch: true };
}

/** This term has had its promotion; the next one of this member needs another (S4). */
function newTerm(w: HaWorld, lease: Lease): Verdict | undefined {
  if (reservedIn(w, lease.term) === undefined) return undefined;
  const release = { heir: w.self.name, minLsn: undefined };
  return {
    because: "site_demoting",
    detail: "a standby leader begins a term of its own",
    step: { kind: "release", term: lease.term, release },
  };
}

/** No write is at stake: the named member leads at once, and everybody streams from it. */
function handOver(w: HaWorld, lease: Lease): Verdict | undefined {
  const intent = switchoverIntent(w);
  if (intent === undefined || !isSwitchoverDue(w)) return undefined;
  const heir = switchoverCandidate(w)?.member.name;
  if (heir === undefined) {
    const revision = clusterOf(w)?.failover.modRevision ?? 0;
    const upkeep = [...siteUpkeep(w, lease), { kind: "clear-failover", revision } as const];
    const detail = switchoverProblem(w, intent) ?? "";
    return { because: "switchover_refused", detail, vouch: true, upkeep };
  }
  const step = { kind: "release", term: lease.term, release: { heir, minLsn: undefined } } as const;
  return { because: "switchover_handing_over", detail: `to ${heir}`, step, vouch: true };
}

/** Who was synchronous under a primary of our own says nothing about who may lead now, or first thing after. */
function freeElection(w: HaWorld, lease: Lease): Verdict | undefined {
  const revision = clusterOf(w)?.sync.modRevision ?? 0;
  if (revision === 0) return undefined;
  const step = { kind: "write-sync", term: lease.term, state: undefined, revision } as const;
  return { because: "sync_changing", detail: "anybody may lead here", step, vouch: true };
}

function repoint(w: HaWorld, lease: Lease): Verdict | undefined {
  const upstream = siteUpstream(w);
  const sql = sqlOf(w);
  if (upstream === undefined || sql === undefined) return undefined;
  const slot = upstream.slot ?? "";
  const isThere = sql.upstream === `${upstream.host}:${upstream.port}`;
  const isBySlot = sql.walReceiver === undefined || sql.walReceiver.slot === slot;
  if (isThere && isBySlot) return undefined;
  const step = { kind: "follow", upstream } as const;
  const remember = told(upstream, remoteSource(w, lease.term));
  return { because: "follow_repointing", detail: upstream.member, step, vouch: true, remember };
}

/** While the stream lives PostgreSQL itself has compared the histories. Only a primary's history is the last word. */
function rejoin(w: HaWorld, lease: Lease): Verdict | undefined {
  const sql = sqlOf(w);
  const source = siteTrouble(w) === undefined ? remoteSource(w, lease.term) : undefined;
  if (sql === undefined || source === undefined || remoteOf(w)?.takesWrites !== true)
    return undefined;
  if (sql.walReceiver?.status === "streaming") return undefined;
  if (compareLineage(w.server.lineage, sql.position, source.lineage) !== "diverged")
    return undefined;
  return {
    because: w.config.usePgRewind ? "rejoin_rewinding" : "rejoin_cloning",
    detail: `${source.member.name} is on timeline ${source.member.timeline ?? "?"}`,
    step: { kind: "stop", timeoutMs: STOP_STANDBY_MS, heirApiUrl: undefined },
    vouch: true,
    remember: { divergedFrom: lease.term },
  };
}

function steady(w: HaWorld, lease: Lease): Verdict {
  const upkeep = siteUpkeep(w, lease);
  const trouble = siteTrouble(w);
  const isStreaming = sqlOf(w)?.walReceiver?.status === "streaming";
  // A stream that lives says more than a look that failed.
  if (trouble !== undefined && !isStreaming) return { ...trouble, vouch: true, upkeep };
  const detail = `${siteUpstream(w)?.member ?? "?"}${isStreaming ? "" : ", nothing is received yet"}`;
  return { because: "site_following", detail, vouch: true, upkeep };
}
