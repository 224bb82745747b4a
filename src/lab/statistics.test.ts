import { describe, expect, it } from "vitest";
import { median } from "./statistics.ts";

describe("the middle of a set of figures", () => {
  it("is the middle one, or the mean of the middle two", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([7])).toBe(7);
  });
});
