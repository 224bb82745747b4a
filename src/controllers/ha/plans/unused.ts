// A lease was won and no primary has run under it: how is it given back?
import type { Lease } from "../../../model/lease.ts";
import type { HaChange } from "../steps.ts";
import type { HaWorld } from "../world.ts";

/** What the holder before us demanded of its successor is demanded of the next one too (R25). */
export function unused(w: HaWorld, lease: Lease): { readonly step: HaChange } {
  const release = { heir: undefined, minLsn: w.memory.inherited?.minLsn };
  return { step: { kind: "release", term: lease.term, release } };
}
