// Somebody starts a server in a directory that is being rewound: it is ended, and the copy is made anew.
import type { Scenario } from "../src/scenario/scenario.ts";

export const strangerInARewind: Scenario = {
  name: "stranger-in-a-rewind",
  story:
    "Somebody starts a server in a directory that is being rewound: it is ended, and the copy is made anew.",
  nodes: 3,
  faults: [
    { atMs: 30000, forMs: 40000, verb: { do: "killHost", node: "n1" } },
    { atMs: 70500, verb: { do: "startByStranger", node: "n1" } },
  ],
  healAtMs: 80000,
  endAtMs: 150000,
  expect: {
    primaryAtEnd: "another",
    promotions: [1, 1],
    reasons: ["rejoin_rewinding", "stray_server", "redoing_marked", "following"],
  },
};
