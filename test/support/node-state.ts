// What has a node written down that was never there before? Nothing.
import type { NodeState } from "../../src/ports/node-state.ts";

export const BLANK_STATE: NodeState = {
  leaseId: undefined,
  store: undefined,
  bootstrapping: undefined,
  promisedTerm: undefined,
  config: undefined,
  promise: undefined,
  scheduledRestart: undefined,
};
