// Is there no data here yet, or a cluster that is only just being made?

import { basisOf } from "../../../model/acquire-basis.ts";
import type { ClusterSnapshot } from "../../../model/cluster.ts";
import { after } from "../../../model/time.ts";
import { lacksWatchdog, unfitness } from "../plans/fitness.ts";
import { permission } from "../plans/permission.ts";
import { cloneFrom } from "../plans/rejoin.ts";
import { followsSite, remoteSource, siteFeed, siteTrouble } from "../plans/site.ts";
import {
  clusterOf,
  isDown,
  isPrimary,
  isStandby,
  leads,
  readyLeader,
  type Source,
  upstreamOf,
} from "../plans/standing.ts";
import { startStandby } from "../plans/starting.ts";
import type { HaWorld } from "../world.ts";
import type { Verdict } from "./rung.ts";

const CLAIM_RETRY_MS = 1_000;
const START_RETRY_MS = 1_000;
const COPY_RETRY_MS = 5_000;
/** How often a member without data looks whether there is a primary to copy. */
const SOURCE_POLL_MS = 500;

export function bootstrap(w: HaWorld): Verdict | undefined {
  const c = clusterOf(w);
  if (c === undefined) return undefined;
  const isMaking = c.initialize.value === undefined || w.bootstrapping;
  if (isMaking && isPrimary(w) && leads(w) === undefined)
    return { because: "demoting_without_lease", step: { kind: "kill" } };
  if (c.initialize.value === undefined) return beginning(w, c);
  if (w.bootstrapping) return ending(w, c.initialize.value);
  const { directory } = w.server;
  if (directory === "data") return undefined;
  if (directory === "marked" && !isDown(w)) return intruder(w);
  const source = readyLeader(w);
  if (source === undefined) {
    return {
      because: "clone_waiting",
      detail: "no primary to copy from",
      wakeAt: after(w.now, SOURCE_POLL_MS),
    };
  }
  return cloneFrom(w, source, directory === "marked" ? "redoing_marked" : "cloning");
}

/** No server of ours is ever started on marked data, and nothing is rebuilt below one that works in it (R32). */
function intruder(w: HaWorld): Verdict {
  const because = w.server.process.kind === "orphans" ? "fencing_orphans" : "stray_server";
  return { because, detail: "in a directory that is being rebuilt", step: { kind: "kill" } };
}

/** No cluster in the store: one member claims the right to make it, the others wait (R41). */
function beginning(w: HaWorld, c: ClusterSnapshot): Verdict | undefined {
  const lease = leads(w);
  const hasData = w.server.directory === "data";
  if (hasData && !w.bootstrapping)
    return lease === undefined ? { because: "store_empty" } : undefined;
  if (c.members.some((m) => m.name !== w.self.name && m.timeline !== undefined)) {
    return { because: "bootstrap_waiting", detail: "another member has data" }; // R31
  }
  if (!w.claimed || isClaimGone(w)) return claim(w);
  if (followsSite(w)) return copyOfSite(w, c);
  if (!hasData) return firstData(w);
  if (w.outcomes["initialise"]?.ok !== true) {
    // Half a cluster of an earlier life of this agent: made anew rather than trusted.
    return {
      because: "bootstrap_initialising",
      step: isDown(w) ? { kind: "discard-bootstrap" } : { kind: "kill" },
    };
  }
  return firstStart(w, c);
}

/** After a failure a little later: a repository that is away, or a backup that is not there, wants a person. */
function firstData(w: HaWorld): Verdict {
  const last = w.outcomes["initialise"];
  const retryAt = last?.ok === false ? after(last.at, COPY_RETRY_MS) : w.now;
  if (w.now < retryAt)
    return { because: "bootstrap_waiting", detail: last?.why ?? "", wakeAt: retryAt };
  return { because: "bootstrap_initialising", step: { kind: "initialise", plan: w.plan } };
}

/** The store refused the new cluster because the claim had ended: it is asked for again, or somebody else has it. */
function isClaimGone(w: HaWorld): boolean {
  const finish = w.outcomes["finish-bootstrap"];
  const since = w.outcomes["claim-bootstrap"]?.at ?? w.now;
  return finish?.code === "NOT_POSSIBLE" && finish.at > since;
}

function claim(w: HaWorld): Verdict {
  if (w.self.tags.nofailover) return { because: "bootstrap_waiting", detail: "tagged nofailover" };
  if (lacksWatchdog(w)) return { because: "bootstrap_waiting", detail: unfitness(w) ?? "" };
  const last = w.outcomes["claim-bootstrap"];
  const retryAt = last === undefined ? w.now : after(last.at, CLAIM_RETRY_MS);
  if (w.now < retryAt) return { because: "bootstrap_waiting", wakeAt: retryAt };
  return { because: "bootstrap_racing", step: { kind: "claim-bootstrap" } };
}

/** The first start as a primary needs what every one needs: the lease of this term and the armed fence (R16). */
function firstStart(w: HaWorld, c: ClusterSnapshot): Verdict {
  const lease = leads(w);
  if (lease === undefined) return firstLease(w, c);
  const lastStart = w.outcomes["start-primary"];
  if (isDown(w) && lastStart?.ok === false && w.now < after(lastStart.at, START_RETRY_MS)) {
    const wakeAt = after(lastStart.at, START_RETRY_MS);
    return { because: "start_backoff", detail: lastStart.why ?? "", vouch: true, wakeAt };
  }
  if (isDown(w)) {
    const timeoutMs = w.config.primaryStartTimeoutMs;
    return {
      because: "bootstrap_initialising",
      step: { kind: "start-primary", plan: w.plan, term: lease.term, timeoutMs },
      vouch: true,
    };
  }
  if (isStandby(w))
    return { because: "bootstrap_initialising", step: { kind: "kill" }, vouch: true };
  const systemId = w.server.control?.systemId;
  if (!isPrimary(w) || systemId === undefined)
    return { because: "bootstrap_initialising", vouch: true };
  return {
    because: "bootstrap_finishing",
    step: {
      kind: "finish-bootstrap",
      term: lease.term,
      systemId,
      branches: w.server.lineage,
      isCopy: false,
    },
    vouch: true,
  };
}

/** The first member of a cluster that follows another site copies it, and leads without ever taking a write. */
function copyOfSite(w: HaWorld, c: ClusterSnapshot): Verdict {
  const trouble = siteTrouble(w);
  if (w.server.directory === "marked" && !isDown(w)) return intruder(w);
  if (w.server.directory !== "data") {
    const source = trouble === undefined ? remoteSource(w, 0) : undefined;
    if (source !== undefined) return copySite(w, source);
    const wakeAt = after(w.now, SOURCE_POLL_MS);
    return { because: "site_unreachable", detail: "nothing to copy from", ...trouble, wakeAt };
  }
  const lease = leads(w);
  if (lease === undefined) return firstLease(w, c);
  if (isDown(w))
    return { ...startStandby(w, "bootstrap_initialising", siteFeed(w, lease.term)), vouch: true };
  const systemId = w.server.control?.systemId;
  if (!isStandby(w) || systemId === undefined)
    return { because: "bootstrap_initialising", vouch: true };
  const step = {
    kind: "finish-bootstrap",
    term: lease.term,
    systemId,
    // Those of the other site are told once this server is on the last of them.
    branches: [],
    isCopy: true,
  } as const;
  return { because: "bootstrap_finishing", step, vouch: true };
}

function copySite(w: HaWorld, source: Source): Verdict {
  const last = w.outcomes["copy-site"];
  const retryAt = last?.ok === false ? after(last.at, COPY_RETRY_MS) : w.now;
  if (w.now < retryAt)
    return { because: "clone_waiting", detail: last?.why ?? "", wakeAt: retryAt };
  const step = { kind: "copy-site", from: upstreamOf(w, source), lineage: source.lineage } as const;
  return { because: "cloning", detail: `from ${source.member.name}`, step };
}

/** Whoever has the claim may lead; but a holder that was there before must have ended, as always (R7). */
function firstLease(w: HaWorld, c: ClusterSnapshot): Verdict {
  if (c.leader !== undefined) {
    const { leader, hold } = c;
    // It may be our own of a while ago: kept in the store by our lease, believed in by nobody (R8).
    if (hold?.term === leader.term && permission(w).granted) {
      const step = { kind: "remove-stale-leader", term: leader.term, hold } as const;
      return { because: "race_removing_stale_leader", detail: leader.name, step };
    }
    const detail = `${c.leader.name} holds the lease`;
    return { because: "bootstrap_waiting", detail, wakeAt: after(w.now, CLAIM_RETRY_MS) };
  }
  const may = c.hold === undefined ? undefined : permission(w);
  if (may?.granted === false) return { because: "bootstrap_waiting", wakeAt: may.wakeAt };
  return { because: "bootstrap_initialising", step: { kind: "acquire", basis: basisOf(c) } };
}

/** The store has a cluster: it is the one made here, or somebody else's came first. */
function ending(w: HaWorld, systemId: string): Verdict {
  const vouch = leads(w) !== undefined;
  if (w.server.control?.systemId === systemId)
    return { because: "bootstrap_finishing", step: { kind: "end-bootstrap" }, vouch };
  // Unread is not foreign: a living server is not ended, nor its data thrown away, on a guess.
  if (w.server.control === undefined && !isDown(w)) return { because: "bootstrap_waiting", vouch };
  if (!isDown(w)) return { because: "bootstrap_waiting", step: { kind: "kill" } };
  return { because: "bootstrap_waiting", step: { kind: "discard-bootstrap" } };
}
