// One switchover right after the other: nobody's lease in the store ends over it.
import type { Scenario } from "../src/scenario/scenario.ts";

const FIRST_MS = 30_000;
/** Less than a quarter of H: no beat of the lease keeper comes between two of them by itself. */
const APART_MS = 1_500;
const MANY = 12;

export const switchoversInARow: Scenario = {
  name: "switchovers-in-a-row",
  story: "Twelve switchovers in eighteen seconds: each is done, and no lease ends in the store.",
  nodes: 3,
  faults: Array.from({ length: MANY }, (_, n) => ({
    atMs: FIRST_MS + n * APART_MS,
    verb: { do: "switchover", candidate: n % 2 === 0 ? "n2" : "n1" },
  })),
  healAtMs: 60_000,
  endAtMs: 120_000,
  expect: { promotions: [MANY, MANY], longestPauseMs: 3_000, losesNothing: true, fences: [0, 0] },
};
