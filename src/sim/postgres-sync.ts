// The synchronous names of a simulated server, as the adapter sets and proves them.
import { AppError } from "../model/error.ts";
import { lsn } from "../model/lsn.ts";
import type { SyncNames } from "../model/sync.ts";
import type { Ms } from "../model/time.ts";
import type { ClosedGate } from "../ports/postgres.ts";
import { askAfter } from "./ask.ts";
import type { SimHost } from "./host.ts";
import type { SimProcess } from "./process.ts";
import { isGateClosed, reloadSyncNames } from "./sync-rep.ts";

const WRITE_MS: Ms = 5;
const PROOF_POLL_MS: Ms = 10;

export interface SyncWork {
  readonly host: SimHost;
  readonly agent: SimProcess;
  readonly signal: AbortSignal;
}

/** Writes the names and reloads; a server that is down finds them at its start. */
export function setSyncNames({ host, agent, signal }: SyncWork, names: SyncNames): Promise<void> {
  const attempt = "writing the synchronous names";
  return askAfter(host.kernel, {
    process: agent,
    attempt,
    ms: WRITE_MS,
    signal,
    work: () => {
      const { disk, server } = host;
      if (disk.full) throw new AppError("PG_DISK_FULL", attempt);
      if (disk.data === undefined) return;
      disk.data.syncNames = names;
      const run = server.run;
      if (run === undefined || run.postmaster === "dead") return;
      if (run.frozen || run.postmaster !== "ok")
        throw new AppError("TIMEOUT", attempt, "no session shows them");
      reloadSyncNames(server, run);
    },
  });
}

/** Asks again and again whether every process goes by the closed gate. */
export async function proveClosed(
  { host, agent, signal }: SyncWork,
  timeoutMs: Ms,
): Promise<ClosedGate> {
  const { server, kernel, disk } = host;
  const limit = kernel.now + timeoutMs;
  for (;;) {
    const isClosed = await askAfter(kernel, {
      process: agent,
      attempt: "proving the closed gate",
      ms: PROOF_POLL_MS,
      signal,
      work: () => {
        const run = server.run;
        return run?.phase === "primary" && !run.frozen && isGateClosed(run);
      },
    });
    if (isClosed) return { kind: "closed", end: lsn(Math.floor(disk.data?.flushed ?? 0)) };
    if (kernel.now >= limit || server.run === undefined)
      return { kind: "unproven", why: "a walsender or the checkpointer has not reloaded" };
  }
}
