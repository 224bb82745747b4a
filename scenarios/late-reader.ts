// The reader of a logical slot is behind when the primary dies: the copy that is offered then is not ahead of it.
import type { Scenario } from "../src/scenario/scenario.ts";

export const lateReader: Scenario = {
  name: "late-reader",
  story:
    "The consumer of a logical slot stands still, and the primary's host dies: the new primary offers a copy that is where the consumer is, so nothing is skipped when it comes back.",
  nodes: 3,
  config: { slots: { cdc: { type: "logical", database: "postgres", plugin: "pgoutput" } } },
  faults: [
    { atMs: 30_000, forMs: 50_000, verb: { do: "stopReader" } },
    { atMs: 50_000, forMs: 40_000, verb: { do: "killHost", node: "primary" } },
  ],
  healAtMs: 100_000,
  endAtMs: 150_000,
  expect: { primaryAtEnd: "another", promotions: [1, 1], slotsAtEnd: ["cdc"] },
};
