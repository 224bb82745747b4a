// When could nothing be written over a way in, and when was that measured at all? A pure book with bounds.
import type { Outage, Span } from "../../model/budget.ts";

export interface Book {
  readonly outages: readonly Outage[];
  /** When probes ran: spans that grow while they go on. */
  readonly measured: readonly Span[];
}

export const EMPTY_BOOK: Book = { outages: [], measured: [] };

/** One probe: when it was sent, when it was answered, and whether the row was committed. */
export interface Probed {
  readonly sentAt: number;
  readonly answeredAt: number;
  readonly ok: boolean;
}

export interface BookLimits {
  readonly everyMs: number;
  /** A write that took longer was no service to anybody, from its beginning on. */
  readonly slowMs: number;
}

/** Of each way: some two a day for a year. */
const MOST_OUTAGES = 800;
/** A break in the measuring begins a new span: an agent that was away measured nothing. */
const MOST_SPANS = 400;
/** Two failures in a row are one outage; a success between them that was answered ends it. */
const MISSED_PROBES = 5;

export function noted(book: Book, probed: Probed, { everyMs, slowMs }: BookLimits): Book {
  const { sentAt, answeredAt, ok } = probed;
  const measured = grown(book.measured, probed, everyMs * MISSED_PROBES + slowMs);
  const last = book.outages.at(-1);
  const isOpen = last !== undefined && last.to === undefined;
  const isSlow = answeredAt - sentAt > slowMs;
  if (!ok) {
    if (isOpen) return { ...book, measured };
    return {
      measured,
      outages: bounded(book.outages, { from: sentAt, to: undefined, planned: false }),
    };
  }
  if (isOpen) {
    const ended = { ...last, to: answeredAt };
    return { measured, outages: [...book.outages.slice(0, -1), ended] };
  }
  if (!isSlow) return { ...book, measured };
  const waited = { from: sentAt, to: answeredAt, planned: false };
  return { measured, outages: bounded(book.outages, waited) };
}

/** What an earlier life left open ends with its last probe: nobody measured what came then. */
export function closedBook(book: Book): Book {
  const last = book.outages.at(-1);
  const end = book.measured.at(-1)?.to;
  if (last === undefined || last.to !== undefined) return book;
  const ended = { ...last, to: Math.max(last.from, end ?? last.from) };
  return { ...book, outages: [...book.outages.slice(0, -1), ended] };
}

function grown(spans: readonly Span[], { sentAt, answeredAt }: Probed, gapMs: number) {
  const last = spans.at(-1);
  // A clock that was set back begins nothing anew: time counts once.
  if (last !== undefined && sentAt - last.to <= gapMs)
    return [...spans.slice(0, -1), { from: last.from, to: Math.max(last.to, answeredAt) }];
  return [...spans, { from: sentAt, to: answeredAt }].slice(-MOST_SPANS);
}

const bounded = (outages: readonly Outage[], next: Outage): readonly Outage[] =>
  [...outages, next].slice(-MOST_OUTAGES);
