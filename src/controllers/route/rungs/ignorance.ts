// The store cannot be read: clients stay where they are, until the configured limit, or as long as a paused primary serves.
import { after } from "../../../model/time.ts";
import type { RouteMemory, RouteWorld } from "../world.ts";
import type { Verdict } from "./rung.ts";

export function ignorance(w: RouteWorld): Verdict | undefined {
  if (w.store.kind === "known") return undefined;
  const { memory, self, now } = w;
  const { onStoreLoss, storeLimitMs } = self.settings;
  const detail = w.store.why;
  const { pause } = memory;
  // Nothing can be learnt of a leader's change, and the primary is there: waiting helps nobody.
  if (
    pause !== undefined &&
    pause.cause.kind !== "asked" &&
    w.lostSince === undefined &&
    memory.applied
  )
    return { because: "route_releasing", detail, step: { kind: "release" } };
  const limit = after(memory.storeReadAt, storeLimitMs);
  if (onStoreLoss === "close" && now >= limit && !servesWithoutStore(memory)) {
    if (memory.closed) return { because: "route_closed", detail };
    return { because: "route_closing", detail, step: { kind: "close" } };
  }
  return { because: "route_store_unread", detail, ...(now < limit ? { wakeAt: limit } : {}) };
}

/** In a pause the primary needs no store, and nobody else may lead before it has been heard: its clients lose nothing. */
const servesWithoutStore = ({ unguarded, applied }: RouteMemory): boolean =>
  unguarded !== undefined && unguarded === applied?.write?.name;
