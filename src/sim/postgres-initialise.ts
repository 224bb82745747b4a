// initdb in the simulation: a new system id, timeline 1, a server that is down.
import { AppError } from "../model/error.ts";
import { FIRST_BRANCH } from "../model/timeline.ts";
import { askAfter } from "./ask.ts";
import type { DataDirectory } from "./disk.ts";
import type { SimHost } from "./host.ts";
import type { SimProcess } from "./process.ts";
import type { WalTree } from "./wal.ts";

/** With the note of its history. */
const INITDB_MS = 1_201;
const FIRST_END = 0x1500000;

/** Creates the first data directory of a cluster in an empty place. */
export function initialise(host: SimHost, agent: SimProcess, signal: AbortSignal): Promise<void> {
  return askAfter(host.kernel, {
    process: agent,
    attempt: "initialising",
    signal,
    ms: INITDB_MS,
    work: () => {
      if (host.disk.full) throw new AppError("PG_DISK_FULL", "initialising");
      if (host.disk.data !== undefined) throw new AppError("PG_DATA_FOREIGN", "initialising");
      host.disk.data = newData(host.parts.tree, `73${host.dice.integer(1_000_000_000)}`);
      host.disk.record([FIRST_BRANCH]);
      host.disk.pending = undefined;
    },
  });
}

/** What initdb leaves, as the beginning of a history of its own. */
export function newData(tree: WalTree, systemId: string): DataDirectory {
  const id = tree.nextDirectory();
  const branch = tree.grow(1, undefined, 0, id);
  branch.tip = FIRST_END;
  return {
    id,
    systemId,
    branch,
    end: FIRST_END,
    flushed: FIRST_END,
    control: {
      state: "shut down",
      timeline: 1,
      checkpoint: FIRST_END - 120,
      checkpointEnd: FIRST_END,
    },
    standbySignal: false,
    historyFiles: new Set(),
    consistentAt: undefined,
    corrupt: false,
    walFloor: 0,
    slots: new Map(),
    syncNames: { kind: "unmanaged" },
    settings: "",
  };
}
