// Another site, which this cluster follows as a whole: where it is, what is seen of it, and whose history that is.
import { type Lsn, ZERO_LSN } from "./lsn.ts";
import { type Branch, FIRST_BRANCH, type HistoryLine, type Lineage } from "./timeline.ts";

/** `standby_cluster` of the configuration: the server that this cluster's leader streams from. */
export interface StandbyCluster {
  /** One host, or several with commas between: then the one that takes writes is followed. */
  readonly host: string;
  /** The same on every host. */
  readonly port: number;
  /** The slot over there that keeps WAL for this site; somebody has made it by hand. */
  readonly slot: string | undefined;
  readonly restoreCommand: string | undefined;
  /** As PostgreSQL's parameter takes it. */
  readonly applyDelay: string | undefined;
}

/** One look at the server over there. */
export interface RemoteSite {
  readonly systemId: string;
  readonly timeline: number;
  /** Where its WAL ends. */
  readonly position: Lsn;
  /** How it came to its timeline, oldest first; empty on the first one. */
  readonly history: readonly HistoryLine[];
  readonly takesWrites: boolean;
  /** Whether the slot that was asked for exists; undefined when none was, or when the server cannot say. */
  readonly hasSlot: boolean | undefined;
}

/**
 * What stands for the term of a branch that another site began. Its own term belongs to a store that we do not read, so
 * the place where it left its parent tells two branches of one number apart. Always below zero, where no term is.
 */
const termOf = (forkLsn: Lsn): number => -1 - Number(BigInt.asUintN(52, forkLsn));

/** The branches that lead to a remote timeline. Those that this cluster began itself are known by number and fork. */
export function lineageOfRemote(
  { timeline, history }: Pick<RemoteSite, "timeline" | "history">,
  ours: Lineage,
): Lineage {
  const nowhere = { timeline: FIRST_BRANCH.parent, endLsn: ZERO_LSN };
  const before = [nowhere, ...history];
  const numbers = [...history.map((line) => line.timeline), timeline];
  return numbers.map((number, index): Branch => {
    const { timeline: parent, endLsn: forkLsn } = before[index] ?? nowhere;
    const own = ours.find((b) => b.timeline === number && b.forkLsn === forkLsn && b.term > 0);
    const term = index === 0 ? FIRST_BRANCH.term : termOf(forkLsn);
    return own ?? { timeline: number, parent, forkLsn, term };
  });
}

/** host:port as people write it, for a list of hosts too. */
export const printSite = ({ host, port }: Pick<StandbyCluster, "host" | "port">): string =>
  `${host}:${port}`;
