// Is one order made of several clocks, honestly?
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { NodeEvent } from "./event.ts";
import { clockNotes, correctionOf, mergeEvents, offsetOf } from "./merged-events.ts";

const event = (node: string, seq: number, at: number): NodeEvent => ({
  node,
  seq,
  at,
  kind: "agent-leaving",
  how: "stop",
});
const exact = { aheadMs: 0, doubtMs: 1 };

describe("the order of events", () => {
  it("is that of the asker's clock where a node's is known to be wrong", () => {
    const ahead = { aheadMs: 5_000, doubtMs: 4 };
    const parts = [
      { node: "n1", events: [event("n1", 1, 1_000)], offset: exact },
      { node: "n2", events: [event("n2", 1, 5_500)], offset: ahead },
    ];
    expect(mergeEvents(parts).map(({ node, at }) => [node, at])).toEqual([
      ["n2", 500],
      ["n1", 1_000],
    ]);
    expect(clockNotes(parts)).toEqual([
      "the clock of n2 is 5000 ms ahead (±4 ms): its times are corrected",
    ]);
  });

  it("leaves times alone while the difference is within the doubt", () => {
    expect(correctionOf(offsetOf(1_000, 3_000, 2_900))).toBe(0);
    expect(correctionOf({ aheadMs: -15, doubtMs: 0 })).toBe(0);
  });

  it("never changes the order of one node's own events at one moment, nor loses one", () => {
    const anyPart = fc.record({
      times: fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 20 }),
      aheadMs: fc.integer({ min: -1_000, max: 1_000 }),
    });
    fc.assert(
      fc.property(fc.array(anyPart, { maxLength: 4 }), (all) => {
        const parts = all.map(({ times, aheadMs }, index) => ({
          node: `n${index}`,
          events: times.map((at, seq) => event(`n${index}`, seq, at)),
          offset: { aheadMs, doubtMs: 1 },
        }));
        const merged = mergeEvents(parts);
        expect(merged).toHaveLength(parts.reduce((sum, part) => sum + part.events.length, 0));
        for (const [index, one] of merged.entries()) {
          const before = merged[index - 1];
          if (before === undefined) continue;
          expect(before.at).toBeLessThanOrEqual(one.at);
          if (before.at === one.at && before.node === one.node)
            expect(before.seq).toBeLessThan(one.seq);
        }
      }),
    );
  });
});
