// Does a person have to be asked before the leadership changes hands? (`failover: ask`)
import { lagBytes } from "../../../model/lsn.ts";
import type { HaWorld } from "../world.ts";
import { type Candidate, heirs } from "./candidates.ts";
import { clusterOf, sqlOf } from "./standing.ts";

/** A primary in trouble may not give way: a person has to be asked first, and none has said a word. */
const mustStay = (w: HaWorld): boolean =>
  w.config.asksBeforeFailover && clusterOf(w)?.failover.value === undefined;

/** Whom a primary in trouble may hand over to without a person's word. */
export const successors = (w: HaWorld): readonly Candidate[] => (mustStay(w) ? [] : heirs(w));

/** The best of them, if it is near enough that a planned stop brings it the rest. */
export function nearHeir(w: HaWorld): Candidate | undefined {
  const heir = successors(w)[0];
  if (heir === undefined) return undefined;
  const lag = lagBytes(sqlOf(w)?.position ?? heir.position, heir.position);
  return lag <= w.config.maximumLagOnFailover ? heir : undefined;
}
