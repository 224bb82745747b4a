import { describe, expect, it } from "vitest";
import { emptyTally, sharesOf, sumOf } from "./hunt.ts";

describe("a swarm for several cores", () => {
  it("is cut into shares that hold every seed once", () => {
    const seeds = sharesOf(700, 47).flatMap((s) =>
      Array.from({ length: s.seeds }, (_, i) => s.from + i),
    );
    expect(seeds).toEqual(Array.from({ length: 47 }, (_, i) => 700 + i));
    expect(sharesOf(1, 0)).toEqual([]);
  });

  it("is summed up as if one core had played it", () => {
    const one = emptyTally();
    Object.assign(one, { schedules: 20, promotions: 3, lost: 1 });
    one.reasons.set("leading", 20);
    one.failures.push({ seed: 4, violations: ["S1"] });
    const other = emptyTally();
    Object.assign(other, { schedules: 7, promotions: 2, effects: 9 });
    other.reasons.set("leading", 7).set("following", 6);
    other.edges.set("following→leading", 2);
    expect(sumOf([one, other])).toEqual({
      ...emptyTally(),
      schedules: 27,
      promotions: 5,
      lost: 1,
      effects: 9,
      reasons: new Map([
        ["leading", 27],
        ["following", 6],
      ]),
      edges: new Map([["following→leading", 2]]),
      failures: [{ seed: 4, violations: ["S1"] }],
    });
  });
});
