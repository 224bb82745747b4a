// Every seventh answer of the store to the primary is lost: unknown is not no.
import type { Scenario } from "../src/scenario/scenario.ts";

export const lostAnswers: Scenario = {
  name: "lost-answers",
  story: "Every seventh answer of the store to the primary is lost: unknown is not no.",
  nodes: 3,
  faults: [
    { atMs: 30000, forMs: 20000, verb: { do: "loseAnswers", node: "primary", share: 0.15 } },
  ],
  healAtMs: 60000,
  endAtMs: 120000,
  expect: { primaryAtEnd: "first", promotions: [0, 0], fences: [0, 0], losesNothing: true },
};
