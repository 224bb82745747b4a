// Who could lead now, and what is to be said about each? The reason why one was chosen and the others were not.
import { valueOf } from "../../../model/known.ts";
import { lagBytes, printLsn } from "../../../model/lsn.ts";
import type { PeerStatus } from "../../../model/member.ts";
import type { HaWorld } from "../world.ts";
import { isAhead, whyNot } from "./candidates.ts";
import { isNamed, lastKnownEnd } from "./eligibility.ts";
import { clusterOf, sqlOf } from "./standing.ts";

/**
 * One sentence about this member as the next leader and one part about every other, as they look now: position, lineage
 * and tags are in what is said. It goes into the journal, and into the history once the promotion has happened.
 */
export function judgement(w: HaWorld): string {
  const others = (clusterOf(w)?.members ?? []).filter(({ name }) => name !== w.self.name);
  return [aboutMe(w), ...others.map(({ name }) => `${name} ${aboutOther(w, name)}`)].join("; ");
}

function aboutMe(w: HaWorld): string {
  const position = sqlOf(w)?.position;
  const at = position === undefined ? "" : ` from ${printLsn(position)}`;
  const named = isNamed(w) ? ", named for it" : "";
  const end = lastKnownEnd(w);
  const behind = end === undefined || position === undefined ? undefined : lagBytes(end, position);
  const lost = behind === undefined ? "" : `, ${behind} bytes behind the last known end`;
  return `${w.self.name} leads${at}${named}${lost}`;
}

function aboutOther(w: HaWorld, name: string): string {
  const peer = valueOf(w.peers[name] ?? { kind: "unknown", why: "not asked", at: w.now });
  const why = whyNot(w, name);
  const at = peer?.position === undefined ? "" : ` (${printLsn(peer.position)})`;
  if (why !== undefined || peer === undefined) return `${why ?? "does not answer"}${at}`;
  return `${compared(w, peer)}${at}`;
}

function compared(w: HaWorld, peer: PeerStatus): string {
  const mine = sqlOf(w)?.position;
  if (mine === undefined || peer.position === undefined) return "cannot be compared";
  if (isAhead(peer, w.server.lineage, mine)) return "has more of the WAL and does not come";
  if (peer.position < mine) return `has ${lagBytes(mine, peer.position)} bytes less`;
  const isLower = peer.tags.failoverPriority < w.self.tags.failoverPriority;
  return isLower ? "is as far, with a lower priority" : "is as far";
}
