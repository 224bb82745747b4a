// What has a watch shown so far, and has it missed anything?
import type { Range, StoreEvent } from "../../ports/store.ts";

/** The keys below the prefix as the events tell them, with the revision that each was last changed at. */
export interface WatchView {
  /** Everything up to this revision has been seen: the next watch begins after it. */
  revision(): number;
  /** Takes the events of one frame; answers those that are new. */
  take(events: readonly StoreEvent[]): readonly StoreEvent[];
  /** The store says that there is nothing to see up to this revision. */
  advance(revision: number): void;
  /** Does a fresh look at the keys show nothing but what the events have told? */
  covers(look: Range): boolean;
}

export function createWatchView(start: Range): WatchView {
  const changedAt = new Map(start.entries.map((entry) => [entry.key, entry.modRevision]));
  let seen = start.header.revision;
  return {
    revision: () => seen,

    take(events) {
      const fresh = events.filter((event) => event.modRevision > seen);
      for (const event of fresh) {
        if (event.value === undefined) changedAt.delete(event.key);
        else changedAt.set(event.key, event.modRevision);
        seen = Math.max(seen, event.modRevision);
      }
      return fresh;
    },

    advance(revision) {
      seen = Math.max(seen, revision);
    },

    covers(look) {
      const present = new Set(look.entries.map((entry) => entry.key));
      const shown = look.entries.every(
        (entry) => (changedAt.get(entry.key) ?? 0) >= entry.modRevision,
      );
      const deleted = [...changedAt].some(
        ([key, at]) => !present.has(key) && at <= look.header.revision,
      );
      return shown && !deleted;
    },
  };
}
