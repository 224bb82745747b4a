// Which backups may go, and from where on must WAL stay?
//
// Pure arithmetic. Its one promise: what was kept can be restored, and the last backup that was proven stays, whatever
// the clock says and however many unproven ones came after it.
import type { Lsn } from "./lsn.ts";
import type { Ms } from "./time.ts";

export interface RetentionPolicy {
  /** So many of the newest stay; at least 1. */
  readonly count: number;
  /** Every moment of this span before now stays restorable, as far as backups reach. Undefined: only the count. */
  readonly spanMs: Ms | undefined;
}

export interface RestorePoint {
  readonly id: string;
  /**
   * Where in the history it lies. What is newer is told from this, and never from a clock: a member whose clock is a year
   * behind still takes the newest backup.
   */
  readonly timeline: number;
  /** Recovery reads WAL from here on. */
  readonly startLsn: Lsn;
  /** Wall-clock milliseconds; of several clocks the latest, so that doubt keeps it. */
  readonly finishedAtMs: number;
  /** What its last verification found; "never" when there was none. */
  readonly verified: "passed" | "failed" | "never";
  /** Its last drill failed: it may be the drill's fault, so it stays as it would, but nobody relies on it. */
  readonly isDoubtful?: boolean | undefined;
  /** Why it stays whatever the policy says: "it is being read". */
  readonly pinned?: string | undefined;
}

export interface KeptPoint {
  readonly id: string;
  /** For people: "it is one of the newest 7". */
  readonly because: string;
}

export interface RetentionPlan {
  readonly keep: readonly KeptPoint[];
  readonly expire: readonly string[];
  /** WAL before it serves no kept backup; undefined: no WAL may go. */
  readonly walFrom: Lsn | undefined;
}

/** A damaged backup is no replacement for anything, so it takes nobody's place; it goes like any other when it is old. */
export function planRetention(
  points: readonly RestorePoint[],
  policy: RetentionPolicy,
  nowMs: number,
): RetentionPlan {
  const newestFirst = points.toSorted(laterFirst);
  const good = newestFirst.filter(({ verified }) => verified !== "failed");
  const verified = good.filter((point) => point.verified === "passed");
  const proven = verified.find(({ isDoubtful }) => isDoubtful !== true);
  const reasons = new Map<string, string>();
  const keep = (point: RestorePoint | undefined, because: string): void => {
    if (point !== undefined && !reasons.has(point.id)) reasons.set(point.id, because);
  };
  if (proven === undefined) {
    const why =
      verified.length === 0
        ? "none has been verified yet"
        : "none that was verified passed its drill";
    for (const point of newestFirst) keep(point, why);
    return planOf(newestFirst, reasons);
  }
  const count = Math.max(1, policy.count);
  for (const point of good.slice(0, count)) keep(point, `it is one of the newest ${count}`);
  if (policy.spanMs !== undefined) {
    const from = nowMs - policy.spanMs;
    for (const point of newestFirst) {
      if (point.finishedAtMs > from) keep(point, "it is younger than the span to keep");
    }
    keep(
      good.find(({ finishedAtMs }) => finishedAtMs <= from),
      "the span to keep begins with it",
    );
  }
  keep(verified[0], "it is the last one that was verified");
  keep(proven, "it is the last one that was verified and failed no drill");
  for (const point of newestFirst) if (point.pinned !== undefined) keep(point, point.pinned);
  return planOf(newestFirst, reasons);
}

/** A timeline that began later has the larger number; the id breaks ties, so that two runs judge alike. */
function laterFirst(a: RestorePoint, b: RestorePoint): number {
  if (a.timeline !== b.timeline) return b.timeline - a.timeline;
  if (a.startLsn !== b.startLsn) return a.startLsn < b.startLsn ? 1 : -1;
  return a.id < b.id ? 1 : -1;
}

function planOf(
  points: readonly RestorePoint[],
  reasons: ReadonlyMap<string, string>,
): RetentionPlan {
  const kept = points.filter(({ id }) => reasons.has(id));
  const walFrom = kept.reduce<Lsn | undefined>(
    (least, { startLsn }) => (least === undefined || startLsn < least ? startLsn : least),
    undefined,
  );
  return {
    keep: kept.map(({ id }) => ({ id, because: reasons.get(id) ?? "" })),
    expire: points.flatMap(({ id }) => (reasons.has(id) ? [] : [id])),
    walFrom,
  };
}
