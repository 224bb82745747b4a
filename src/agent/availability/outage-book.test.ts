// Is every outage in the book once, from its first failed write to the first that came through?
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lengthOf } from "../../model/budget.ts";
import { type Book, closedBook, EMPTY_BOOK, noted, type Probed } from "./outage-book.ts";

const LIMITS = { everyMs: 1_000, slowMs: 1_000 };
const write = (probes: readonly Probed[]): Book =>
  probes.reduce((book, probed) => noted(book, probed, LIMITS), EMPTY_BOOK);
const good = (sentAt: number, took = 5): Probed => ({
  sentAt,
  answeredAt: sentAt + took,
  ok: true,
});
const bad = (sentAt: number, took = 5): Probed => ({ ...good(sentAt, took), ok: false });

describe("the book of outages", () => {
  it("has nothing in it while every write comes through", () => {
    const book = write([good(0), good(1_000), good(2_000)]);
    expect(book).toEqual({ outages: [], measured: [{ from: 0, to: 2_005 }] });
  });

  it("counts from the beginning of the first write that failed to the end of the first that did not", () => {
    const book = write([good(0), bad(1_000, 500), bad(2_000), good(3_000), good(4_000)]);
    expect(book.outages).toEqual([{ from: 1_000, to: 3_005, planned: false }]);
  });

  it("counts a write that waited too long for an outage, though it came through", () => {
    expect(write([good(0, 900)]).outages).toEqual([]);
    expect(write([good(0, 4_000)]).outages).toEqual([{ from: 0, to: 4_000, planned: false }]);
  });

  it("does not take a time in which the agent was away for measured", () => {
    const book = write([good(0), good(1_000), good(500_000)]);
    expect(book.measured).toEqual([
      { from: 0, to: 1_005 },
      { from: 500_000, to: 500_005 },
    ]);
  });

  it("ends what another life left open where that life stopped to measure", () => {
    const open = write([good(0), bad(1_000), bad(2_000, 700)]);
    expect(closedBook(open).outages).toEqual([{ from: 1_000, to: 2_700, planned: false }]);
    expect(closedBook(write([good(0)]))).toEqual(write([good(0)]));
  });

  it("never is down for longer than it was measured, and never grows without end", () => {
    const anyProbe = fc.record({ took: fc.nat(3_000), ok: fc.boolean(), pause: fc.nat(60_000) });
    fc.assert(
      fc.property(fc.array(anyProbe, { maxLength: 200 }), (all) => {
        let at = 0;
        let failed = 0;
        const probes = all.map(({ took, ok, pause }) => {
          at += 3_000 + pause;
          if (!ok) failed += 1;
          return { sentAt: at, answeredAt: at + took, ok };
        });
        const { outages, measured } = closedBook(write(probes));
        const down = outages.map(({ from, to }) => ({ from, to: to ?? from }));
        expect(down.every(({ from, to }) => to >= from)).toBe(true);
        expect(lengthOf(down)).toBe(down.reduce((sum, { from, to }) => sum + to - from, 0));
        expect(outages.length).toBeLessThanOrEqual(all.length);
        if (failed === 0 && all.every(({ took }) => took <= 1_000)) expect(outages).toEqual([]);
        expect(measured.length).toBeLessThanOrEqual(400);
      }),
    );
  });
});
