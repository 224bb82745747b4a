// Did two servers take writes at the same time?
import type { Ms } from "../model/time.ts";

/** The writes that one server acknowledged on one timeline. */
export interface Span {
  readonly node: string;
  readonly timeline: string;
  readonly writes: number;
  /** When the first answer arrived: from then on it surely took writes. */
  readonly firstAnsweredAt: Ms;
  /** When the last acknowledged write left: until then it surely did. */
  readonly lastSentAt: Ms;
}

export interface Overlap {
  readonly first: Span;
  readonly second: Span;
  readonly ms: Ms;
}

/**
 * Pairs of spans of which each surely took writes while the other did. An old primary that returns is
 * on a new timeline, so its two reigns are two spans and what lay between them is nobody's fault.
 */
export function overlapsIn(spans: readonly Span[]): readonly Overlap[] {
  return spans.flatMap((first, index) =>
    spans
      .slice(index + 1)
      .filter((second) => second.node !== first.node)
      .map((second) => ({ first, second, ms: sharedMs(first, second) }))
      .filter(({ ms }) => ms > 0),
  );
}

const sharedMs = (a: Span, b: Span): Ms =>
  Math.min(a.lastSentAt, b.lastSentAt) - Math.max(a.firstAnsweredAt, b.firstAnsweredAt);
