// How is the cluster, in one sentence?

import { printBytes, printSpan } from "./amounts.ts";
import type { ClusterSnapshot } from "./cluster.ts";
import { lagBytes } from "./lsn.ts";
import type { Member } from "./member.ts";
import { isPausedAt, pauseInWords } from "./pause.ts";
import { printSite, type StandbyCluster } from "./site.ts";
import { isVoter } from "./sync.ts";
import type { Unguarded } from "./unguarded.ts";

export type Health = "healthy" | "degraded" | "critical" | "unknown";

export interface Verdict {
  readonly health: Health;
  readonly sentence: string;
  /** One line each, worst first; empty when all is well. */
  readonly warnings: readonly string[];
}

/**
 * Judges what the store shows at a moment of the wall clock. `maximumLag` is how far behind a standby may be to take
 * over, in bytes.
 */
export function verdictOn(cluster: ClusterSnapshot, maximumLag: number, wallMs: number): Verdict {
  const limits = { maximumLag, wallMs };
  const name = cluster.leader?.name;
  if (cluster.initialize.value === undefined && name === undefined) {
    return critical("no cluster exists yet: nobody can write");
  }
  const free = cluster.unguarded.value;
  const isThere = cluster.members.some((member) => member.name === name);
  if (free !== undefined && !isThere) return agentless(free, cluster, wallMs);
  const site = cluster.config.value?.standbyCluster;
  if (name === undefined) return site === undefined ? leaderless(cluster) : orphaned(site);
  const leader = cluster.members.find((member) => member.name === name);
  if (leader === undefined) return critical(`${name} leads but is not there: nobody can write`);
  if (site !== undefined && leader.role === "standby leader" && leader.state === "running") {
    const warnings = leader.replicationState === "streaming" ? [] : [nothingFrom(site, name)];
    return judged(
      cluster,
      { name, does: `leads a standby of ${printSite(site)}`, warnings },
      limits,
    );
  }
  if (leader.role !== "primary" || leader.state !== "running") {
    return critical(`${name} leads but is not a running primary yet: nobody can write`);
  }
  return judged(cluster, { name, does: "is the primary", warnings: [] }, limits);
}

interface LeaderWords {
  readonly name: string;
  readonly does: string;
  readonly warnings: readonly string[];
}

interface Limits {
  readonly maximumLag: number;
  readonly wallMs: number;
}

/** Somebody leads and does what it should: how are the others? */
function judged(
  cluster: ClusterSnapshot,
  leader: LeaderWords,
  { maximumLag, wallMs }: Limits,
): Verdict {
  const { name } = leader;
  const standbys = cluster.members.filter((member) => member.name !== name);
  const heirs = standbys.filter((member) => canTakeOver(member, cluster, maximumLag));
  const warnings = [
    ...leader.warnings,
    ...pauseWarning(cluster, wallMs),
    ...warningsOf(cluster, standbys, maximumLag),
  ];
  const worst = Math.max(0, ...heirs.map((member) => lagOf(member, cluster) ?? 0));
  return {
    health: warnings.length === 0 ? "healthy" : "degraded",
    sentence: `${name} ${leader.does}; ${heirsInWords(heirs, worst)}`,
    warnings,
  };
}

const orphaned = (site: StandbyCluster): Verdict =>
  critical(`nobody leads: nothing is received from ${printSite(site)}`);

const nothingFrom = (site: StandbyCluster, name: string): string =>
  `${name} receives nothing from ${printSite(site)}: reads get older`;

const critical = (sentence: string): Verdict => ({ health: "critical", sentence, warnings: [] });

/** Who waits for a person's word, and what it would cost to give it (`failover: ask`). */
function leaderless(cluster: ClusterSnapshot): Verdict {
  const bound = cluster.members.filter(({ because }) => because === "race_promised_to_peer");
  if (bound.length > 0 && cluster.hold !== undefined)
    return onTheirWord(cluster.hold.holder, bound);
  const asking = cluster.members.filter(({ because }) => because === "race_asking");
  if (asking.length === 0) return critical("nobody leads: nobody can write");
  const offers = asking.map((member) => {
    const lag = lagOf(member, cluster);
    const lost = lag === undefined ? "by an unknown amount" : printBytes(lag);
    return `${member.name} could lead, ${lost} behind: understudy failover --to ${member.name}`;
  });
  const sentence = "nobody leads until a person says who: nobody can write";
  return { health: "critical", sentence, warnings: offers };
}

/** The primary cannot reach the store, and those who can have promised it not to race. */
function onTheirWord(holder: string, bound: readonly Member[]): Verdict {
  const names = bound.map(({ name }) => name).join(" and ");
  return {
    health: "degraded",
    sentence: `${holder} cannot reach the store and is the primary on the word of the others`,
    warnings: [`${names} will not take over before the promise to ${holder} ends`],
  };
}

function heirsInWords(heirs: readonly Member[], worst: number): string {
  if (heirs.length === 0) return "no standby can take over";
  const behind = `${printBytes(worst)} behind`;
  const [only] = heirs;
  if (heirs.length === 1 && only !== undefined) return `${only.name} can take over, ${behind}`;
  return `${heirs.length} standbys can take over, at most ${behind}`;
}

/** Bytes behind the leader's last published end of WAL; undefined when unknown. */
export function lagOf(member: Member, cluster: ClusterSnapshot): number | undefined {
  const end = cluster.status.value.position;
  const at = member.position ?? member.receivedLsn ?? member.replayedLsn;
  return end === undefined || at === undefined ? undefined : lagBytes(end, at);
}

/** With synchronous standbys the election is theirs, wherever they are; else the lag rule judges (R12, R22, R28). */
function canTakeOver(member: Member, cluster: ClusterSnapshot, maximumLag: number): boolean {
  if (member.role !== "standby" || member.state !== "running" || member.tags.nofailover)
    return false;
  const listed = cluster.roster.value;
  if (listed !== undefined && !(member.name in listed)) return false;
  const voters = cluster.sync.value;
  if (voters !== undefined) return isVoter(voters, member.name);
  const lag = lagOf(member, cluster);
  return lag !== undefined && lag <= maximumLag;
}

function pauseWarning(cluster: ClusterSnapshot, wallMs: number): readonly string[] {
  const { value } = cluster.config;
  const record = cluster.unguarded.value;
  const isPaused = value !== undefined && isPausedAt(value, wallMs);
  const words = isPaused ? [pauseInWords(value.pauseNote, wallMs)] : [];
  return record === undefined ? words : [...words, unguardedInWords(record, isPaused, wallMs)];
}

/** Who runs without its fence; and once the pause is over, what keeps the others from leading. */
function unguardedInWords(record: Unguarded, isPaused: boolean, wallMs: number): string {
  const { member, sinceMs } = record;
  const since = sinceMs === undefined ? "" : ` for ${printSpan(wallMs - sinceMs)}`;
  if (isPaused) return `${member} has been running without its fence${since}`;
  return `the pause is not over for ${member}, which ran without its fence${since} and has not said that it is armed: start its agent, or when its server is surely down: understudy resume --confirm-down ${member}`;
}

/** Without an agent nobody can say whether the server runs; the others will not lead in any case. */
function agentless({ member }: Unguarded, cluster: ClusterSnapshot, wallMs: number): Verdict {
  return {
    health: "unknown",
    sentence: `${member} may be the primary still, without an agent; nobody else leads`,
    warnings: pauseWarning(cluster, wallMs),
  };
}

function warningsOf(
  cluster: ClusterSnapshot,
  standbys: readonly Member[],
  maximumLag: number,
): readonly string[] {
  const warnings: string[] = [];
  warnings.push(...standbys.flatMap((member) => trouble(member, cluster, maximumLag) ?? []));
  const fit = standbys.some((member) => canTakeOver(member, cluster, maximumLag));
  if (standbys.length === 0) warnings.push("there is no standby");
  else if (!fit && warnings.length === 0) warnings.push("no standby can take over");
  return [...warnings, ...pendingRestarts(cluster.members), ...cluster.configWarnings];
}

/** Members that wait for the same are named together, with what would change. */
function pendingRestarts(members: readonly Member[]): readonly string[] {
  const waiting = new Map<string, string[]>();
  for (const { name, pendingRestart } of members) {
    const changes = pendingRestart
      .filter(({ parameter }) => parameter !== "")
      .map((p) => `${p.parameter} ${p.oldValue || "?"} → ${p.newValue || "?"}`);
    if (pendingRestart.length === 0) continue;
    const what = changes.length === 0 ? "" : ` (${changes.join(", ")})`;
    waiting.set(what, [...(waiting.get(what) ?? []), name]);
  }
  return [...waiting].map(([what, names]) => `${names.join(", ")}: a restart is pending${what}`);
}

function trouble(member: Member, cluster: ClusterSnapshot, maximumLag: number): string | undefined {
  if (member.state !== "running") return `${member.name} is ${stateInWords(member)}`;
  // Its own last word: a host that died as the primary leaves it behind, and a second primary it is not.
  if (member.role !== "standby")
    return `${member.name} does not lead, and was ${member.role} when it last reported`;
  if (member.replicationState !== "streaming") return `${member.name} does not stream`;
  const lag = lagOf(member, cluster);
  if (cluster.sync.value !== undefined || lag === undefined || lag <= maximumLag) return undefined;
  return `${member.name} is ${printBytes(lag)} behind and must not take over`;
}

const stateInWords = ({ state }: Member): string =>
  state === "unknown" ? "in an unknown state" : state;
