// Replication slots for tests, and what the leader publishes about them.

import type { ClusterStatus } from "../../src/model/cluster.ts";
import { lsn } from "../../src/model/lsn.ts";
import type { SlotState } from "../../src/model/server.ts";

const END = lsn(0x5000000);

/** Three members, nobody away; the leader's own slot stands at its last checkpoint. */
export const STATUS: ClusterStatus = {
  position: END,
  slots: { n1: lsn(0x4000000), n2: END, n3: END },
  absentMs: {},
};

/** A physical slot that somebody streams from at the end of all WAL, unless changed. */
export const slot = (name: string, change: Partial<SlotState> = {}): SlotState => ({
  name,
  kind: "physical",
  active: true,
  restartLsn: END,
  walStatus: "reserved",
  temporary: false,
  catalogXmin: undefined,
  logical: undefined,
  ...change,
});
