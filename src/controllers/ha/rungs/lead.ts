// I hold the lease and my server runs: what does leading ask of me now?

import type { ClusterSnapshot } from "../../../model/cluster.ts";
import { holdMsOf } from "../../../model/config.ts";
import type { Lease } from "../../../model/lease.ts";
import type { Lsn } from "../../../model/lsn.ts";
import { after, type Instant } from "../../../model/time.ts";
import { headOf } from "../../../model/timeline.ts";
import { passedOver, refusal } from "../plans/eligibility.ts";
import { stepDown } from "../plans/fitness.ts";
import { openGate } from "../plans/isolation.ts";
import { unsafeCopies } from "../plans/logical-slots.ts";
import { mayBePromoting, promotionLimitMs, reservedIn } from "../plans/promotion.ts";
import { unsteady } from "../plans/restarts.ts";
import { routersFor } from "../plans/routers.ts";
import { followsSite, siteTrouble } from "../plans/site.ts";
import { branchesOf, clusterOf, isPrimary, leads, sqlOf } from "../plans/standing.ts";
import { primaryStopMs } from "../plans/stopping.ts";
import {
  settlingFor,
  switchoverCandidate,
  switchoverIntent,
  switchoverProblem,
  wishHasFailed,
} from "../plans/switchover.ts";
import { closeGate, keepSync } from "../plans/sync-keeping.ts";
import { unanswering } from "../plans/unanswering.ts";
import { unused } from "../plans/unused.ts";
import { leaderUpkeep } from "../plans/upkeep.ts";
import type { HaWorld } from "../world.ts";
import { demotion, leadSite, partFromSite } from "./lead-site.ts";
import type { Verdict } from "./rung.ts";

/** How often a winner looks whether the voters have answered. */
const COUNT_AGAIN_MS = 50;
/** How often a leader looks whether those who may take over have settled. */
const LOOK_AGAIN_MS = 100;

export function lead(w: HaWorld): Verdict | undefined {
  const lease = leads(w);
  if (lease === undefined) return undefined;
  const sql = sqlOf(w);
  if (sql === undefined) return unanswering(w);
  if (isPrimary(w)) return primary(w, lease);
  return followsSite(w) ? leadSite(w, lease) : takeOver(w, lease);
}

/**
 * Won the lease, still a standby: judge again, reserve the timeline, promote. The fork that is reserved is where our WAL
 * ends now; the promotion itself ends the walreceiver, and the exact fork is recorded after it.
 */
function takeOver(w: HaWorld, lease: Lease): Verdict {
  const c = clusterOf(w);
  const sql = sqlOf(w);
  if (c === undefined || sql === undefined)
    return { because: "lead_waiting_for_server", vouch: true };
  const parting = partFromSite(w);
  if (parting !== undefined) return parting;
  const no = refusal(w);
  if (no?.because === "race_no_quorum" && w.now < countUntil(w)) {
    const wakeAt = after(w.now, COUNT_AGAIN_MS);
    return { because: "lead_counting_votes", detail: no.detail, vouch: true, wakeAt };
  }
  if (no !== undefined) return giveBack(w, lease, no.detail);
  const better = reservedIn(w, lease.term) === undefined ? passedOver(w) : undefined;
  if (better !== undefined) return offer(lease, better);
  if (!isArmed(w, lease)) return { because: "lead_arming", vouch: true, wakeAt: after(w.now, 100) };
  const unsafe = unsafeCopies(w);
  if (unsafe.length > 0) {
    return {
      because: "lead_dropping_copies",
      detail: unsafe.join(", "),
      step: { kind: "drop-copies", names: unsafe },
      vouch: true,
    };
  }
  const close = closeGate(w);
  if (close !== undefined)
    return { because: "sync_changing", detail: "before the promotion", step: close, vouch: true };
  const head = headOf(w.server.lineage);
  const reserved = reservedIn(w, lease.term);
  if (reserved === undefined) {
    const timeline = Math.max(sql.timeline, ...branchesOf(c).map((b) => b.timeline)) + 1;
    const branch = {
      timeline,
      parent: head?.timeline ?? sql.timeline,
      forkLsn: sql.position,
      term: lease.term,
    };
    return {
      because: "lead_reserving_timeline",
      detail: `timeline ${timeline}`,
      step: {
        kind: "reserve",
        term: lease.term,
        branches: [...branchesOf(c), branch],
        revision: c.lineage.modRevision,
      },
      vouch: true,
    };
  }
  if (sql.timeline >= reserved.timeline)
    return giveBack(w, lease, "an earlier promotion of this term did not finish");
  return {
    because: "lead_promoting",
    detail: `to timeline ${reserved.timeline}`,
    step: {
      kind: "promote",
      term: lease.term,
      branch: reserved,
      timeoutMs: promotionLimitMs(w),
    },
    vouch: true,
  };
}

/** Voters that do not answer within one H are not waited for: somebody else may reach them. */
const countUntil = (w: HaWorld): Instant =>
  after(w.outcomes["acquire"]?.at ?? w.self.startedAt, holdMsOf(w.config));

function offer(lease: Lease, to: { readonly name: string; readonly minLsn: Lsn }): Verdict {
  const release = { heir: to.name, minLsn: to.minLsn };
  return {
    because: "lead_not_eligible",
    detail: `${to.name} has more of the WAL`,
    step: { kind: "release", term: lease.term, release },
  };
}

const isArmed = (w: HaWorld, lease: Lease): boolean =>
  w.fence.alive && w.fence.armed?.term === lease.term && w.fence.armed.until > w.now;

/** Nobody else may lead while a promotion may be under way here: the server ends first, and recover gives back. */
function giveBack(w: HaWorld, lease: Lease, detail: string): Verdict {
  const mayOpen = mayBePromoting(w, lease.term);
  return {
    because: "lead_not_eligible",
    detail,
    ...(mayOpen ? { step: { kind: "kill" }, vouch: true } : unused(w, lease)),
    upkeep: wishHasFailed(w),
    remember: { standBackUntil: after(w.now, w.config.ttlMs) },
  };
}

function primary(w: HaWorld, lease: Lease): Verdict {
  const sql = sqlOf(w);
  const head = headOf(w.server.lineage);
  const c = clusterOf(w);
  const recorded =
    c !== undefined &&
    head !== undefined &&
    branchesOf(c).some((b) => b.timeline === head.timeline && b.term === head.term);
  if (sql === undefined || sql.timeline !== head?.timeline || !recorded) {
    const detail = `server on ${sql?.timeline ?? "?"}, recorded ${head?.timeline ?? "?"} of term ${head?.term ?? "?"}`;
    return { because: "lead_wrong_timeline", detail, step: { kind: "kill" } };
  }
  return (
    demotion(w) ??
    openGate(w) ??
    restart(w, lease) ??
    switchover(w, lease) ??
    stepDown(w) ??
    unsteady(w) ??
    steady(w, lease)
  );
}

function steady(w: HaWorld, lease: Lease): Verdict {
  const sync = keepSync(w, lease);
  if (sync !== undefined) return { ...sync, upkeep: leaderUpkeep(w, lease.term) };
  const upkeep = leaderUpkeep(w, lease.term);
  const trouble = followsSite(w) ? siteTrouble(w) : undefined;
  if (trouble === undefined) return { because: "leading", vouch: true, upkeep };
  return { ...trouble, detail: `${trouble.detail}; this primary goes on`, vouch: true, upkeep };
}

function restart(w: HaWorld, lease: Lease): Verdict | undefined {
  const asked = w.requests.restart;
  if (asked === undefined) return undefined;
  return {
    because: "lead_restarting",
    step: { kind: "stop", timeoutMs: primaryStopMs(w.config), heirApiUrl: undefined },
    vouch: leads(w) === lease,
  };
}

function switchover(w: HaWorld, lease: Lease): Verdict | undefined {
  const intent = switchoverIntent(w);
  const c = clusterOf(w);
  if (intent === undefined || c === undefined) return undefined;
  const at = intent.scheduledAtMs;
  if (at !== undefined && at > w.wallMs) {
    const wakeAt = after(w.now, at - w.wallMs);
    return {
      ...steady(w, lease),
      because: "switchover_scheduled",
      detail: intent.scheduledAt ?? "",
      wakeAt,
    };
  }
  const late = at !== undefined && w.wallMs - at > 1.5 * w.config.loopWaitMs;
  const problem = late ? "its time has passed" : switchoverProblem(w, intent);
  const handover = late ? undefined : settlingFor(w, intent);
  if (handover !== undefined) {
    const detail = `a switchover waits: ${problem}`;
    const wakeAt = after(w.now, LOOK_AGAIN_MS);
    return { ...steady(w, lease), detail, wakeAt, remember: { handover } };
  }
  if (problem !== undefined)
    return givenUp(w, c, { because: "switchover_refused", detail: problem });
  const waiting = routersFirst(w, lease, c);
  if (waiting !== undefined) return waiting;
  const heir = switchoverCandidate(w);
  return {
    because: "switchover_stopping",
    detail: `to ${heir?.member.name ?? "?"}`,
    step: { kind: "stop", timeoutMs: primaryStopMs(w.config), heirApiUrl: heir?.member.apiUrl },
    vouch: true,
  };
}

/** The wish is taken back, and this member leads on. */
function givenUp(
  w: HaWorld,
  c: ClusterSnapshot,
  why: Pick<Verdict, "because" | "detail">,
): Verdict {
  const clear = { kind: "clear-failover", revision: c.failover.modRevision } as const;
  return { ...why, vouch: true, upkeep: [...leaderUpkeep(w, c.leader?.term ?? 0), clear] };
}

/** Clients of the routers wait before the server stops, so that none of them sees an error. */
function routersFirst(w: HaWorld, lease: Lease, c: ClusterSnapshot): Verdict | undefined {
  const routers = routersFor(w, c);
  const because = "switchover_waiting_for_routers";
  const upkeep = leaderUpkeep(w, lease.term);
  switch (routers.kind) {
    case "checkpoint": {
      const handover = { revision: c.failover.modRevision, since: w.now };
      return {
        because,
        detail: "a checkpoint first",
        vouch: true,
        upkeep: [...upkeep, { kind: "checkpoint" }],
        wakeAt: w.now,
        remember: { handover },
      };
    }
    case "wait": {
      const detail = routers.missing.join(", ");
      return { because, detail, vouch: true, upkeep, wakeAt: routers.until };
    }
    case "blocked":
      return givenUp(w, c, { because: "switchover_blocked", detail: routers.by });
    case "ready":
      return undefined;
    default:
      return routers satisfies never;
  }
}
