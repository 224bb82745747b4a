// Our small durable facts on a simulated disk.
import { AppError } from "../model/error.ts";
import type { NodeState, NodeStateFile } from "../ports/node-state.ts";
import { askAfter } from "./ask.ts";
import type { SimHost } from "./host.ts";
import type { SimProcess } from "./process.ts";

const FSYNC_MS = 2;

export function simNodeState(host: SimHost, process: SimProcess): NodeStateFile {
  const { disk } = host;
  return {
    current: () => disk.nodeState,
    update: (change: Partial<NodeState>) =>
      askAfter(host.kernel, {
        process,
        attempt: "writing the node's state",
        ms: FSYNC_MS + disk.slowMs,
        work: () => {
          if (disk.full) throw new AppError("PG_DISK_FULL", "writing the node's state");
          disk.nodeState = { ...disk.nodeState, ...change };
        },
      }),
  };
}
