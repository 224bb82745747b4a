import { describe, expect, it } from "vitest";
import { Ledger, lengthOf } from "./ledger.ts";

describe("the ledger of promised writes", () => {
  it("finds the longest time without a promise, the open one included", () => {
    const ledger = new Ledger(0);
    for (const at of [20, 40, 60, 1560, 1580]) ledger.acknowledge(0, at, at);
    expect(lengthOf(ledger.longestPause(1600))).toBe(1500);
    expect(lengthOf(ledger.longestPause(9580))).toBe(8000);
    expect(ledger.longestPause(1600, 1570)).toEqual({ from: 1580, to: 1600 });
  });

  it("counts over all workers together", () => {
    const ledger = new Ledger(0);
    ledger.acknowledge(0, 1, 300);
    ledger.acknowledge(1, 1, 400);
    expect(ledger.longestPause(500)).toEqual({ from: 0, to: 300 });
  });

  it("names the promised rows that are not there, and only those", () => {
    const ledger = new Ledger(0);
    for (const sequence of [1, 2, 4, 5, 9]) ledger.acknowledge(7, sequence, sequence);
    expect(ledger.missing(7, new Set([1, 2, 3, 5]))).toEqual([
      { worker: 7, sequence: 4, beforeBreak: false, at: 4 },
      { worker: 7, sequence: 9, beforeBreak: true, at: 9 },
    ]);
    expect(ledger.missing(8, new Set())).toEqual([]);
  });

  it("does not count as promised what came with a warning or failed", () => {
    const ledger = new Ledger(0);
    ledger.doubt();
    ledger.fail("in-flight");
    ledger.fail("refused");
    expect([ledger.acknowledged, ledger.notPromised, ledger.failed]).toEqual([0, 1, 2]);
    expect(ledger.refused).toBe(1);
  });
});
