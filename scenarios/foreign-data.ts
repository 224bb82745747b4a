// Something that is no data directory lies in the place of a standby's: it is left alone until a person takes it away.
import type { Scenario } from "../src/scenario/scenario.ts";

export const foreignData: Scenario = {
  name: "foreign-data",
  story:
    "Something that is no data directory lies in the place of a standby's: it is left alone until a person takes it away.",
  nodes: 3,
  faults: [
    { atMs: 30000, forMs: 20000, verb: { do: "foreignData", node: "standby", isJunk: true } },
  ],
  healAtMs: 60000,
  endAtMs: 150000,
  expect: {
    primaryAtEnd: "first",
    losesNothing: true,
    fences: [0, 0],
    reasons: ["foreign_data"],
  },
};
