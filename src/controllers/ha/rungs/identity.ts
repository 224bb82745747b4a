// Is this our data, our cluster, our lease?
import { basisOf } from "../../../model/acquire-basis.ts";
import { isValid, type Lease } from "../../../model/lease.ts";
import { after } from "../../../model/time.ts";
import { clusterOf, isPrimary } from "../plans/standing.ts";
import { isUnguarded } from "../plans/unguarded.ts";
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

const TRY_AGAIN_MS = 250;
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
  if (held !== undefined && leader?.term !== held.term && !isOurLateAcquire(w)) {
    const anew = keyAnew(w, held);
    if (anew !== undefined) return anew;
    return {
      because: "lease_gone",
      step: { kind: "drop-lease", why: "the leader key is not ours any more" },
    };
  }
  const isHeld = held !== undefined && leader?.term === held.term;
  if (isHeld || leader?.name !== w.self.name || leader.leaseId !== w.lease.leaseId)
    return undefined;
  const record = w.fence.armed;
  const hold = clusterOf(w)?.hold;
  // An agent that came back in time: key, durable lease id and the fence's own record agree.
  const isRecorded = record?.term === leader.term && record.until > w.now;
  // Under a pause's record nobody else can have led since, whichever of our terms the fence heard of last (R30).
  const cameBack = (isRecorded || isUnguarded(w)) && w.fence.leaseId === w.lease.leaseId;
  // An acquire of this very process whose answer was lost; it counts from when it was sent.
  const late = w.promised === undefined ? w.lease.acquireUnknownSince : undefined;
  const sentAt = cameBack ? w.now : late;
  if (sentAt === undefined || hold === undefined || after(sentAt, hold.holdMs) <= w.now)
    return undefined;
  return {
    because: "adopting",
    step: { kind: "adopt", term: leader.term, sentAt, seq: hold.seq },
    remember: { racingSince: w.memory.racingSince, inherited: w.memory.inherited },
  };
}

/** The key was taken anew and the answer was lost: it is ours under another term, and is adopted below. */
function isOurLateAcquire(w: HaWorld): boolean {
  const leader = clusterOf(w)?.leader;
  const isOurs = leader?.name === w.self.name && leader.leaseId === w.lease.leaseId;
  return isOurs && w.lease.grantor === "peers" && w.lease.acquireUnknownSince !== undefined;
}

/**
 * The leader key ended while the peers stood in for the store. All who could have led since had promised not to, and
 * `hold` still is the one of our term: the key is acquired anew, under a new term, while the server runs on.
 */
function keyAnew(w: HaWorld, held: Lease): Verdict | undefined {
  const c = clusterOf(w);
  const isOpen = c?.leader === undefined && c?.hold?.term === held.term;
  if (c === undefined || !isOpen || c.hold?.released !== undefined) return undefined;
  if (w.lease.grantor !== "peers" || !isValid(held, w.now)) return undefined;
  const because = "lead_taking_key_anew";
  const detail = `term ${held.term} ended in the store`;
  const triedAt = w.outcomes["acquire"]?.at;
  const againAt = triedAt === undefined ? w.now : after(triedAt, TRY_AGAIN_MS);
  if (w.now < againAt) return { because, detail, vouch: true, wakeAt: againAt };
  return { because, detail, step: { kind: "acquire", basis: basisOf(c) }, vouch: true };
}
