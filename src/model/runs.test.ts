// Do rows of numbers say the same as the numbers one by one?
import fc from "fast-check";
import { expect, test } from "vitest";
import { joined, missingIn, rowEnd, runsOf } from "./runs.ts";

const numbers = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 30 });
const spread = (runs: ReturnType<typeof runsOf>): readonly number[] =>
  runs.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
const sorted = (set: Iterable<number>): readonly number[] =>
  [...new Set(set)].toSorted((a, b) => a - b);

test("runs hold each number once, and neighbours are one run", () => {
  fc.assert(
    fc.property(numbers, (some) => {
      const runs = runsOf(some);
      expect(spread(runs)).toEqual(sorted(some));
      for (const [i, [first]] of runs.entries())
        if (i > 0) expect(first).toBeGreaterThan((runs[i - 1]?.[1] ?? 0) + 1);
    }),
  );
});

test("what is joined holds both", () => {
  fc.assert(
    fc.property(numbers, numbers, (a, b) => {
      expect(joined(runsOf(a), runsOf(b))).toEqual(runsOf([...a, ...b]));
    }),
  );
});

test("a row ends before the first number that is missing", () => {
  fc.assert(
    fc.property(numbers, fc.integer({ min: 0, max: 45 }), (some, from) => {
      let end = from - 1;
      while (some.includes(end + 1)) end += 1;
      expect(rowEnd(runsOf(some), from)).toBe(end);
    }),
  );
});

test("what is missing and what is there make the whole stretch", () => {
  fc.assert(
    fc.property(numbers, fc.nat(40), fc.nat(10), (some, first, length) => {
      const last = first + length - 1;
      const stretch = Array.from({ length }, (_, i) => first + i);
      expect(spread(missingIn(runsOf(some), first, last))).toEqual(
        stretch.filter((n) => !some.includes(n)),
      );
    }),
  );
});
