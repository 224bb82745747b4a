// Which lost rows does a mode allow, and which are broken promises?
//
// In the synchronous modes none is allowed. Asynchronous replication loses what had not left the primary's
// host when it died (limit L4), and what a primary acknowledged while it reached none of its standbys.
import type { Ms } from "../../model/time.ts";
import type { LostRow } from "../ledger.ts";

export const MODES = ["off", "on", "quorum"] as const;
/** The values of `synchronous_mode`. */
export type Mode = (typeof MODES)[number];

/**
 * What a fault may cost with asynchronous replication. `in flight`: of each worker at most the row that was
 * promised last before its connection broke. `since the fault`: any row that was promised after it began.
 */
export type MayLose = "nothing" | "in flight" | "since the fault";

export interface Circumstances {
  readonly mode: Mode;
  readonly mayLose: MayLose;
  readonly faultAt: Ms;
}

/** The lost rows that nothing excuses. */
export function brokenPromises(
  lost: readonly LostRow[],
  { mode, mayLose, faultAt }: Circumstances,
): readonly LostRow[] {
  if (mode !== "off" || mayLose === "nothing") return lost;
  if (mayLose === "since the fault") return lost.filter(({ at }) => at < faultAt);
  const excused = new Set<number>();
  return lost.filter(({ worker, beforeBreak }) => {
    if (!beforeBreak || excused.has(worker)) return true;
    excused.add(worker);
    return false;
  });
}
