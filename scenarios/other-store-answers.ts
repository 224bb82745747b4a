// Another, empty store answers in the place of ours: nobody starts or promotes anything on its word.
import type { Scenario } from "../src/scenario/scenario.ts";

export const otherStoreAnswers: Scenario = {
  name: "other-store-answers",
  story:
    "Another, empty store answers in the place of ours: nobody starts or promotes anything on its word.",
  nodes: 3,
  faults: [{ atMs: 30000, forMs: 20000, verb: { do: "otherStore" } }],
  healAtMs: 90000,
  endAtMs: 150000,
  expect: {
    reasons: ["store_changed"],
  },
};
