// May this standby lead, judged on everything that is known now? Asked before the race and again after winning (R12).
import type { FailoverIntent, Hold } from "../../../model/cluster.ts";
import { holdMsOf } from "../../../model/config.ts";
import { type Lsn, lagBytes, maxLsn } from "../../../model/lsn.ts";
import type { MemberState, PeerStatus } from "../../../model/member.ts";
import type { Reason } from "../../../model/reason.ts";
import { after } from "../../../model/time.ts";
import { headOf } from "../../../model/timeline.ts";
import type { HaWorld } from "../world.ts";
import { isAhead } from "./candidates.ts";
import { counts, electorate } from "./electorate.ts";
import { isDiskFull, lacksWatchdog } from "./fitness.ts";
import type { Refusal } from "./refusal.ts";
import { isListed } from "./roster.ts";
import { followsSite } from "./site.ts";
import { branchesOf, clusterOf, isStandby, sqlOf } from "./standing.ts";
import { strangersHeir, strangerWrites } from "./stranger.ts";
import { notElected } from "./votes.ts";

const no = (because: Reason, detail: string): Refusal => ({ because, detail });

/** Why this member must not lead, or undefined when it may. */
export function refusal(w: HaWorld): Refusal | undefined {
  // Where everything comes from another site, nothing that a member lacks is lost by its leading.
  if (followsSite(w)) return unfit(w) ?? notAsked(w) ?? overtaken(w);
  return (
    unfit(w) ??
    strangerWrites(w) ??
    notAsked(w) ??
    wrongBranch(w) ??
    tooFarBehind(w) ??
    overtaken(w) ??
    notElected(w)
  );
}

/** The member itself: tags, server, a recent failure, the fence. */
function unfit(w: HaWorld): Refusal | undefined {
  if (w.self.tags.nofailover) return no("race_not_allowed", "tagged nofailover");
  if (!isListed(w, w.self.name))
    return no("race_not_listed", "the last leader had not seen it for longer than ttl");
  if (w.promised !== undefined)
    return no("race_promised_to_peer", `${w.promised.grantee} leads on our promise`);
  const until = w.memory.standBackUntil;
  if (until !== undefined && w.now < until)
    return no("race_standing_back", hookRefusal(w) ?? "a promotion or start has just failed here");
  if (!isStandby(w)) return no("race_unhealthy", "the server is not a running standby");
  if (sqlOf(w)?.exhausted !== true)
    return no("race_unhealthy", "its own WAL is not replayed to the end yet");
  if (lacksWatchdog(w))
    return no("race_no_watchdog", `watchdog.mode is required, and it is ${w.fence.watchdog}`);
  if (isDiskFull(w) && !patienceIsOver(w)) return no("race_unhealthy", "its disk is full");
  if (!w.fence.alive) return no("race_unhealthy", "the fence does not answer");
  return undefined;
}

/** The user's own command said no: that is worth more to the reader than that something failed. */
function hookRefusal({ outcomes: { promote } }: HaWorld): string | undefined {
  return promote?.code === "HOOK_REFUSED" ? promote.why : undefined;
}

/** A person named another member: it goes first while it can. */
function notAsked(w: HaWorld): Refusal | undefined {
  const intent = failoverByHand(w);
  const isLater = intent?.scheduledAtMs !== undefined && intent.scheduledAtMs > w.wallMs;
  const candidate = isLater ? undefined : (intent?.candidate ?? strangersHeir(w));
  if (candidate === undefined || candidate === w.self.name) return undefined;
  if (takesBack(w) || isHeir(w)) return undefined;
  const peer = w.peers[candidate];
  const able =
    peer?.kind === "known" && peer.value.role === "standby" && peer.value.position !== undefined;
  if (!able || patienceIsOver(w)) return undefined;
  return no("race_waiting_for_candidate", `${candidate} was asked for`);
}

/** check_timeline: the branch of the last finished promotion, as the store recorded it, is ours too (R19). */
function wrongBranch(w: HaWorld): Refusal | undefined {
  const c = clusterOf(w);
  const head = headOf(w.server.lineage);
  if (c === undefined || head === undefined)
    return no("race_wrong_lineage", "no record of this data's history");
  if (!branchesOf(c).some((b) => b.timeline === head.timeline && b.term === head.term)) {
    return no(
      "race_wrong_lineage",
      `timeline ${head.timeline} of term ${head.term} is not the cluster's`,
    );
  }
  const ended = c.history.value.at(-1)?.timeline ?? 0;
  if (w.config.checkTimeline && head.timeline <= ended && !isNamed(w)) {
    return no(
      "race_wrong_lineage",
      `still on timeline ${head.timeline}, the cluster has left ${ended}`,
    );
  }
  return undefined;
}

/** maximum_lag_on_failover, against the last end of WAL that a leader made known; a person may overrule it. */
function tooFarBehind(w: HaWorld): Refusal | undefined {
  const last = lastKnownEnd(w);
  const mine = sqlOf(w)?.position;
  if (last === undefined || mine === undefined || isNamed(w)) return undefined;
  // A voter has every commit that was acknowledged, or finds it out by counting: what it lacks nobody was promised.
  if (electorate(w) !== undefined) return undefined;
  const lag = lagBytes(last, mine);
  if (lag <= w.config.maximumLagOnFailover) return undefined;
  return no("race_too_far_behind", `${lag} bytes behind, ${w.config.maximumLagOnFailover} allowed`);
}

/** What a leader published while it ran, or in the release with which it went. */
export function lastKnownEnd(w: HaWorld): Lsn | undefined {
  const c = clusterOf(w);
  const ends = [
    c?.status.value.position,
    c?.hold?.released?.minLsn,
    w.memory.inherited?.minLsn,
  ].filter((end) => end !== undefined);
  return ends.length === 0 ? undefined : ends.reduce(maxLsn);
}

/** Another member is a primary, or has more, or goes first among equals. Waiting for it has a limit: one H. */
function overtaken(w: HaWorld): Refusal | undefined {
  const position = sqlOf(w)?.position;
  if (position === undefined || patienceIsOver(w)) return undefined;
  for (const [name, answer] of Object.entries(w.peers)) {
    if (answer.kind === "unknown") continue;
    const peer = answer.value;
    if (runsAsPrimary(peer) && !hasLetGo(w, name, peer))
      return no("race_peer_is_primary", `${name} still runs as primary`);
    if (cannotLead(peer) || isNamed(w) || !counts(w, name)) continue;
    if (name === heirOf(w)) continue; // it was asked by name and did not come
    if (isComing(w, peer)) return no("race_behind", `${name} led last and its server is coming up`);
    const first = goesFirst(w, peer, position);
    if (first === "by WAL") return no("race_behind", `${name} has more of the WAL`);
    if (first === "by priority") return no("race_behind", `${name} has a higher priority`);
  }
  return undefined;
}

function goesFirst(w: HaWorld, peer: PeerStatus, position: Lsn) {
  if (isAhead(peer, w.server.lineage, position)) return "by WAL";
  const isPreferred = peer.tags.failoverPriority > w.self.tags.failoverPriority;
  return peer.position === position && isPreferred && !takesBack(w) ? "by priority" : undefined;
}

/** Who goes before this member in a race: by its WAL, or among equals by the priority that is named. */
export function overtakers(
  w: HaWorld,
): readonly { readonly name: string; readonly priority: number | undefined }[] {
  const position = sqlOf(w)?.position;
  if (position === undefined) return [];
  return Object.entries(w.peers).flatMap(([name, answer]) => {
    if (answer.kind === "unknown" || cannotLead(answer.value) || !counts(w, name)) return [];
    const first = goesFirst(w, answer.value, position);
    const priority = first === "by priority" ? answer.value.tags.failoverPriority : undefined;
    return first === undefined ? [] : [{ name, priority }];
  });
}

/**
 * The last holder answers and its server does not yet: what it acknowledged may be nowhere else. It has had no chance to
 * hand over (nothing was released), as when a pause ends after its crash.
 */
function isComing(w: HaWorld, peer: PeerStatus): boolean {
  const hold = clusterOf(w)?.hold;
  const isOnItsWay = peer.position === undefined && COMING.has(peer.state);
  return hold?.holder === peer.name && hold.released === undefined && isOnItsWay;
}

/** Not `stopped`: a server that ended in order has sent what it had. */
const COMING: ReadonlySet<MemberState> = new Set(["crashed", "starting", "running"]);

/** One of Patroni's calls itself demoted until its server runs again as a standby: one that has stopped is no primary. */
const runsAsPrimary = ({ role, state }: PeerStatus): boolean =>
  role === "primary" || (role === "demoted" && state !== "stopped");

/**
 * One of Patroni's that hands over calls itself demoted once its control file says "shut down", and only then gives its
 * key back; what still ends is its archiving. That its server takes no writes that server has been asked itself (R35).
 */
const hasLetGo = (w: HaWorld, name: string, { role, state }: PeerStatus): boolean =>
  role === "demoted" && state === "stopping" && w.memory.strangerLed?.name === name;

const cannotLead = (peer: PeerStatus): boolean =>
  peer.tags.nofailover || peer.unfit !== undefined || peer.watchdogFailed;

/** A person asked for this very member, or the last holder named it as its heir. */
export const isNamed = (w: HaWorld): boolean =>
  failoverByHand(w)?.candidate === w.self.name || isHeir(w);

/**
 * A failover names its candidate whatever it costs. A switchover names one for a leader that hands over with the last
 * byte; when that leader dies first, nobody has agreed to a loss, and the race goes by positions as always.
 */
function failoverByHand(w: HaWorld): FailoverIntent | undefined {
  const intent = clusterOf(w)?.failover.value;
  return intent?.leader === undefined ? intent : undefined;
}

/** Before the race by the release in the store, after it by the one that was raced upon. */
const heirOf = (w: HaWorld): string | undefined =>
  clusterOf(w)?.hold?.released?.heir ?? w.memory.inherited?.heir;

const isHeir = (w: HaWorld): boolean => heirOf(w) === w.self.name;

/**
 * For a winner: the member that has more than it, was passed over for being slow, and answers even so. It gets the
 * lease offered once, by name (R25); when it does not come, it has had its chance.
 */
export function passedOver(
  w: HaWorld,
): { readonly name: string; readonly minLsn: Lsn } | undefined {
  const position = sqlOf(w)?.position;
  if (position === undefined || isNamed(w)) return undefined;
  for (const [name, answer] of Object.entries(w.peers)) {
    if (answer.kind === "unknown" || name === heirOf(w) || !counts(w, name)) continue;
    const peer = answer.value;
    const canLead = peer.role === "standby" && !cannotLead(peer);
    if (canLead && peer.position !== undefined && isAhead(peer, w.server.lineage, position))
      return { name, minLsn: peer.position };
  }
  return undefined;
}

/** The heir did not come: the former holder takes its lease back without waiting for anybody's turn (R25). */
function takesBack(w: HaWorld): boolean {
  const hold = clusterOf(w)?.hold;
  return hold?.released !== undefined && hold.holder === w.self.name;
}

/** A better candidate that does not take its chance for a whole H (it may be cut from the store) is passed over. */
const patienceIsOver = (w: HaWorld): boolean =>
  w.memory.racingSince !== undefined && w.now >= after(w.memory.racingSince, holdMsOf(w.config));

/** Whether this member has what a release demands of its successor (R25). */
export function hasWhatWasReleased(w: HaWorld, hold: Hold): boolean {
  const wanted = hold.released?.minLsn;
  const mine = sqlOf(w)?.position;
  return wanted === undefined || (mine !== undefined && mine >= wanted);
}
