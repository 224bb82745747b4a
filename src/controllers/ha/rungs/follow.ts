// Somebody else leads: am I following as I should?

import { after, type Instant } from "../../../model/time.ts";
import { compareLineage, headOf, type Lineage } from "../../../model/timeline.ts";
import type { Upstream } from "../../../ports/postgres.ts";
import { STOP_STANDBY_MS } from "../limits.ts";
import { feedOf, isFedByCluster } from "../plans/cascade.ts";
import { copiesDue } from "../plans/logical-slots.ts";
import { ownHistory, told } from "../plans/own-record.ts";
import { leaderIsStale, permission } from "../plans/permission.ts";
import {
  clusterOf,
  isPrimary,
  otherLeader,
  readyLeader,
  type Source,
  sqlOf,
  upstreamOf,
} from "../plans/standing.ts";
import { STANDBY_START_MS } from "../plans/starting.ts";
import { standbyUpkeep } from "../plans/upkeep.ts";
import { mustRevoke } from "../plans/votes.ts";
import type { HaWorld } from "../world.ts";
import type { Verdict } from "./rung.ts";

/** How often a standby looks whether the new leader has become a primary. */
const LEADER_POLL_MS = 500;

export function follow(w: HaWorld): Verdict | undefined {
  const leader = otherLeader(w);
  if (leader === undefined || leaderIsStale(w)) return undefined;
  if (isPrimary(w))
    return { because: "follow_demoting", detail: `${leader.name} leads`, step: { kind: "kill" } };
  const source = readyLeader(w);
  const wanted = source === undefined ? undefined : asked(w);
  if (wanted !== undefined) return wanted;
  if (sqlOf(w) === undefined)
    return { because: "follow_waiting", detail: "the own server does not answer yet" };
  if (source === undefined && mustRevoke(w)) {
    const step = { kind: "revoke", term: leader.term } as const;
    return { because: "follow_revoking", detail: `for ${leader.name}`, step };
  }
  if (source === undefined) {
    return {
      because: "follow_waiting",
      wakeAt: after(w.now, LEADER_POLL_MS),
      detail: `${leader.name} is not a running primary yet`,
      upkeep: standbyUpkeep(w, undefined),
    };
  }
  return attach(w, source);
}

/** What a person asked of this standby. */
function asked(w: HaWorld): Verdict | undefined {
  const stop = { kind: "stop", timeoutMs: STOP_STANDBY_MS, heirApiUrl: undefined } as const;
  // The copy is made by the recover rung, once the server is down.
  if (w.requests.reinitialise !== undefined) return { because: "reinitialising", step: stop };
  if (w.requests.restart !== undefined) return { because: "standby_restarting", step: stop };
  return undefined;
}

/** On the leader's history or behind it: stream from it. Beyond it: the data must be rebuilt (R19). */
function attach(w: HaWorld, source: Source): Verdict {
  const sql = sqlOf(w);
  if (sql === undefined) return { because: "follow_waiting" };
  const mine = streamsFrom(w, source) ? source.lineage : ownHistory(w);
  const verdict = compareLineage(mine, sql.position, source.lineage);
  const isBeyond = isOnNewerTimeline(sql.timeline, mine, source.lineage);
  if (verdict === "diverged" || isBeyond || w.memory.divergedFrom === source.term) {
    return {
      because: w.config.usePgRewind && !isBeyond ? "rejoin_rewinding" : "rejoin_cloning",
      detail: `${source.member.name} is on timeline ${headOf(source.lineage)?.timeline ?? "?"}`,
      step: { kind: "stop", timeoutMs: STOP_STANDBY_MS, heirApiUrl: undefined },
      remember: {
        divergedFrom: source.term,
        ...(isBeyond ? { rewindFailedFor: source.term } : {}),
      },
    };
  }
  const upstream = feedOf(w, source);
  if (sql.upstream !== `${upstream.host}:${upstream.port}`) {
    return {
      because: "follow_repointing",
      detail: upstream.member,
      step: { kind: "follow", upstream },
      remember: told(upstream, source),
    };
  }
  const copying = copySlots(w, source, upstream);
  if (copying !== undefined) return copying;
  const wakeAt = nextLookAt(w, source);
  return {
    because: "following",
    detail: pathTo(source, upstream.member),
    upkeep: standbyUpkeep(w, source),
    remember: told(upstream, source),
    ...(wakeAt === undefined ? {} : { wakeAt }),
  };
}

/**
 * A timeline that was begun here and given up again, before this member wrote down that it had come to it: the leader has
 * gone back to the other site's. Its number will come again over there, and PostgreSQL would take the two for one. The
 * control file may not know of it yet, so pg_rewind would find nothing to do.
 */
const isOnNewerTimeline = (now: number, recorded: Lineage, theirs: Lineage): boolean =>
  now !== headOf(recorded)?.timeline && now > (headOf(theirs)?.timeline ?? now);

/** The leader has logical slots of which this standby needs copies: it is restarted with them, all at once. */
function copySlots(w: HaWorld, source: Source, upstream: Upstream): Verdict | undefined {
  const c = clusterOf(w);
  const names = c === undefined ? [] : copiesDue(w, c);
  if (names.length === 0) return undefined;
  const from = upstreamOf(w, source);
  const timeoutMs = STANDBY_START_MS;
  return {
    because: "slots_copying",
    detail: `${names.join(", ")} from ${from.member}`,
    step: { kind: "copy-slots", from, names, plan: w.plan, upstream, timeoutMs },
    upkeep: standbyUpkeep(w, source),
    remember: { startedAlone: false, ...told(upstream, source) },
  };
}

/** Who feeds us, and who leads where that is somebody else. */
const pathTo = ({ member }: Source, above: string): string =>
  above === member.name ? above : `${above}, below ${member.name}`;

/**
 * Sooner than the loop's rhythm: when the holder's silence becomes permission to race, or when our record does not
 * yet name the leader's timeline (the smaller that gap, the smaller the chance that a break comes before).
 */
function nextLookAt(w: HaWorld, source: Source): Instant | undefined {
  if (headOf(w.server.lineage)?.timeline !== headOf(source.lineage)?.timeline) {
    return after(w.now, LEADER_POLL_MS);
  }
  const may = permission(w);
  return !may.granted && may.wakeAt > w.now ? may.wakeAt : undefined;
}

/**
 * The server has switched to the leader's timeline and receives on it, from the leader or from the standby above:
 * PostgreSQL itself has compared the histories. Our own record follows a moment later (upkeep), while new WAL arrives
 * at once. A record of the same timeline under another term is another history (R19), whatever the server says.
 */
function streamsFrom(w: HaWorld, source: Source): boolean {
  const theirs = headOf(source.lineage);
  const mine = headOf(w.server.lineage);
  const sql = sqlOf(w);
  const receiver = sql?.walReceiver;
  if (theirs === undefined || receiver === undefined || mine?.timeline === theirs.timeline) {
    return false;
  }
  return (
    isFedByCluster(w, source) &&
    receiver.timeline === theirs.timeline &&
    sql?.timeline === theirs.timeline
  );
}
