// How does data that has left the cluster's history come back to it?
import type { Reason } from "../../../model/reason.ts";
import type { Verdict } from "../rungs/rung.ts";
import type { HaWorld } from "../world.ts";
import { clusterOf, type Source, upstreamOf } from "./standing.ts";

const CLONE_RETRY_MS = 5_000;

/**
 * Whose data is copied: a standby that offers itself (`clonefrom`), so that the primary is spared, else the leader. Only
 * one that follows the leader on its timeline has the leader's history. After a copy that failed, the leader.
 */
function originOf(w: HaWorld, source: Source): Source {
  const isSparing =
    w.requests.reinitialise?.fromLeader !== true && w.outcomes["clone"]?.ok !== false;
  const offers = (clusterOf(w)?.members ?? [])
    .filter((m) => m.tags.clonefrom && m.name !== w.self.name && m.name !== source.member.name)
    .filter((m) => m.state === "running" && m.replicationState === "streaming")
    .filter((m) => m.timeline === source.member.timeline)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const [standby] = isSparing ? offers : [];
  return standby === undefined ? source : { ...source, member: standby };
}

/** Copies the whole directory from a source; after a failed copy waits a little. */
export function cloneFrom(w: HaWorld, source: Source, because: Reason): Verdict {
  const last = w.outcomes["clone"];
  const retryAt = last !== undefined && !last.ok ? last.at + CLONE_RETRY_MS : 0;
  if (w.now < retryAt) return { because: "clone_waiting", detail: last?.why ?? "" };
  const origin = originOf(w, source);
  return {
    because,
    detail: `from ${origin.member.name}`,
    step: { kind: "clone", from: upstreamOf(w, origin), lineage: source.lineage },
  };
}

/** Rewinds where allowed and possible, else clones; the server must be down (R32, R42). */
export function rebuild(w: HaWorld, source: Source): Verdict {
  const canRewind =
    w.config.usePgRewind &&
    w.memory.rewindFailedFor !== source.term &&
    w.server.directory === "data";
  if (!canRewind) return cloneFrom(w, source, "rejoin_cloning");
  return {
    because: "rejoin_rewinding",
    detail: `to ${source.member.name}`,
    step: { kind: "rewind", from: upstreamOf(w, source), lineage: source.lineage },
    remember: { divergedFrom: source.term },
  };
}
