// In which order did things happen on several hosts, whose clocks are never quite the same?
//
// Whoever asks a node for its events notes its own time before and after: the node's clock was read between the two.
// So its lead over the asker's clock is known up to half of the way there and back, and is taken off where it is
// larger than that doubt. A clock that was set in the meantime cannot be seen from this.
import type { NodeEvent } from "./event.ts";

/** How far a node's clock is ahead of the asker's, and how wrong that may be, both in milliseconds. */
export interface ClockOffset {
  readonly aheadMs: number;
  readonly doubtMs: number;
}

/** What one node told, and how its clock stands. */
export interface NodeEvents {
  readonly node: string;
  readonly events: readonly NodeEvent[];
  readonly offset: ClockOffset;
}

/** From the asker's clock before and after the question, and the node's own in between. */
export const offsetOf = (askedAt: number, answeredAt: number, theirs: number): ClockOffset => ({
  aheadMs: theirs - (askedAt + answeredAt) / 2,
  doubtMs: Math.max(0, answeredAt - askedAt) / 2,
});

/** Clocks under common time keeping differ by less: below it nothing is corrected, and times read as in the logs. */
const NOT_WORTH_MS = 20;

/** What is taken off the times of this node. */
export const correctionOf = ({ aheadMs, doubtMs }: ClockOffset): number =>
  Math.abs(aheadMs) > doubtMs + NOT_WORTH_MS ? Math.round(aheadMs) : 0;

/** All events in the order of the asker's clock; those of one node at one moment stay in their own order. */
export function mergeEvents(parts: readonly NodeEvents[]): readonly NodeEvent[] {
  return parts
    .flatMap(({ events, offset }) => {
      const correction = correctionOf(offset);
      return correction === 0 ? events : events.map((e) => ({ ...e, at: e.at - correction }));
    })
    .toSorted(inOrder);
}

const inOrder = (a: NodeEvent, b: NodeEvent): number => {
  if (a.at !== b.at) return a.at - b.at;
  if (a.node !== b.node) return a.node < b.node ? -1 : 1;
  return a.seq - b.seq;
};

/** What a reader must know about the clocks, one line a node whose times were corrected. */
export const clockNotes = (parts: readonly NodeEvents[]): readonly string[] =>
  parts.flatMap(({ node, offset }) => {
    const correction = correctionOf(offset);
    if (correction === 0) return [];
    const way = correction > 0 ? "ahead" : "behind";
    const doubt = Math.ceil(offset.doubtMs);
    return [
      `the clock of ${node} is ${Math.abs(correction)} ms ${way} (±${doubt} ms): its times are corrected`,
    ];
  });
