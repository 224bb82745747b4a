// A pause that says when it is over holds everything back until then, and nobody has to come back and end it.
import type { Scenario } from "../src/scenario/scenario.ts";

export const pauseEndsByItself: Scenario = {
  name: "pause-ends-by-itself",
  story: "During a pause nothing is restarted; at its end somebody leads again, without a person.",
  nodes: 3,
  faults: [
    { atMs: 30000, verb: { do: "pause", endsInMs: 25000 } },
    { atMs: 35000, verb: { do: "killPostmaster", node: "primary" } },
  ],
  healAtMs: 90000,
  endAtMs: 120000,
  expect: { promotions: [0, 1] },
};
