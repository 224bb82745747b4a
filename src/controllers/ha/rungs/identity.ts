// Is this our data, our cluster, our lease?
import { isValid } from "../../../model/lease.ts";
import { after } from "../../../model/time.ts";
import { clusterOf, isPrimary } from "../plans/standing.ts";
import type { HaWorld } from "../world.ts";
import type { Verdict } from "./rung.ts";

export function identity(w: HaWorld): Verdict | undefined {
  const c = clusterOf(w);
  if (c === undefined) return undefined;
  if (w.server.directory === "foreign") return { because: "foreign_data" };
  const wanted = c.initialize.value;
  const found = w.server.control?.systemId;
  if (
    w.server.directory === "data" &&
    wanted !== undefined &&
    found !== undefined &&
    wanted !== found &&
    !w.bootstrapping
  ) {
    const detail = `found ${found}, the cluster is ${wanted}`;
    return { because: "foreign_system_id", detail, ...(isOursToEnd(w) ? KILL : {}) };
  }
  return ownLease(w);
}

const KILL = { step: { kind: "kill" } } as const;

/** A primary that our fence started needs a lease like any other; somebody else's server is left alone. */
function isOursToEnd(w: HaWorld): boolean {
  const { process } = w.server;
  const isGuarded = process.kind === "running" && process.guarded;
  return isGuarded && isPrimary(w) && !isValid(w.lease.held, w.now) && !w.config.paused;
}

/** The leader key and our belief must be one: adopt what is provably ours, drop what is not (R10, R12). */
function ownLease(w: HaWorld): Verdict | undefined {
  const leader = clusterOf(w)?.leader;
  const held = w.lease.held;
  if (held !== undefined && leader?.term !== held.term) {
    return {
      because: "lease_gone",
      step: { kind: "drop-lease", why: "the leader key is not ours any more" },
    };
  }
  if (held !== undefined || leader?.name !== w.self.name || leader.leaseId !== w.lease.leaseId)
    return undefined;
  const record = w.fence.armed;
  const hold = clusterOf(w)?.hold;
  // An agent that came back in time: key, durable lease id and the fence's own record agree.
  const cameBack =
    record?.term === leader.term && record.until > w.now && w.fence.leaseId === w.lease.leaseId;
  // An acquire of this very process whose answer was lost; it counts from when it was sent.
  const sentAt = cameBack ? w.now : w.lease.acquireUnknownSince;
  if (sentAt === undefined || hold === undefined || after(sentAt, hold.holdMs) <= w.now)
    return undefined;
  return {
    because: "adopting",
    step: { kind: "adopt", term: leader.term, sentAt, seq: hold.seq },
    remember: { racingSince: w.memory.racingSince, inherited: w.memory.inherited },
  };
}
