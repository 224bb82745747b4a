import { describe, expect, it } from "vitest";
import { overlapsIn, type Span } from "./overlap.ts";

const span = (node: string, firstAnsweredAt: number, lastSentAt: number, timeline = "1"): Span => ({
  node,
  timeline,
  writes: 9,
  firstAnsweredAt,
  lastSentAt,
});

describe("two writers at once", () => {
  it("are found, also when the new one has only just begun", () => {
    const [found] = overlapsIn([span("n1", 0, 1000), span("n2", 990, 5000, "2")]);
    expect(found?.ms).toBe(10);
  });

  it("are found on one and the same timeline", () => {
    expect(overlapsIn([span("n1", 0, 1000), span("n2", 500, 800)])).toHaveLength(1);
  });

  it("are not seen in a hand-over, there and back", () => {
    const reigns = [span("n1", 0, 1000), span("n2", 1200, 3000, "2"), span("n1", 3100, 4000, "3")];
    expect(overlapsIn(reigns)).toEqual([]);
  });
});
