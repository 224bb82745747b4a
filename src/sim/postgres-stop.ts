// A clean stop in the simulation: writes end, shutdown checkpoint, walsenders are waited for, bounded (R26, R36).
import { AppError } from "../model/error.ts";
import { type Lsn, lsn } from "../model/lsn.ts";
import { ask } from "./ask.ts";
import type { SimHost } from "./host.ts";
import type { SimProcess } from "./process.ts";
import type { Run } from "./run.ts";

export interface StopRequest {
  readonly host: SimHost;
  readonly agent: SimProcess;
  readonly timeoutMs: number;
  readonly onShutdown: ((end: Lsn) => Promise<void>) | undefined;
  readonly signal: AbortSignal;
  /** The fence ends what does not end by itself. */
  readonly kill: () => Promise<void>;
}

/** How long the walsenders get when nobody waits for an heir, and the processes after that. */
const FAREWELL_MS = 1_000;
const DOWN_MS = 5_000;

/** Stops the server; `onShutdown` hears the end of WAL as soon as the control file says "shut down". */
export async function stopServer(request: StopRequest): Promise<void> {
  const { host, onShutdown, kill } = request;
  const { server, disk } = host;
  const run = server.run;
  if (run === undefined) return;
  if (run.postmaster === "dead") {
    await kill();
    return;
  }
  const wasPrimary = run.phase === "primary";
  if (!(await reaches(request, run, (now) => now === undefined || now.phase === "ended"))) {
    await kill();
    return;
  }
  const data = disk.data;
  const isFinal = wasPrimary && data?.control.state === "shut down";
  if (isFinal && onShutdown !== undefined) await onShutdown(lsn(Math.floor(data.end)));
  else await reaches({ ...request, timeoutMs: FAREWELL_MS }, run, (now) => now === undefined);
  server.quit();
  if (!(await reaches({ ...request, timeoutMs: DOWN_MS }, run, (now) => now === undefined)))
    await kill();
}

/** Asks for the stop and waits for a phase of the same run; answers false when the time is up. */
async function reaches(
  request: StopRequest,
  run: Run,
  isThere: (now: Run | undefined) => boolean,
): Promise<boolean> {
  try {
    await phase(request, run, isThere);
    return true;
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
}

function phase(
  request: StopRequest,
  run: Run,
  isThere: (now: Run | undefined) => boolean,
): Promise<void> {
  const { host, agent, timeoutMs, signal } = request;
  const { server, kernel } = host;
  return ask<void>({
    process: agent,
    attempt: "stopping the server",
    signal,
    begin: (reply) => {
      if (server.run === run && run.postmaster === "ok" && !run.frozen) server.fastStop(run);
      const end = (): void => {
        server.forgetPhase(look);
        timeout.cancel();
      };
      const look = (): void => {
        if (!isThere(server.run === run ? run : undefined)) return;
        end();
        reply.ok();
      };
      const timeout = kernel.after(timeoutMs, () => {
        end();
        reply.fail(new AppError("PG_STOP_TIMEOUT", "stopping the server"));
      });
      server.onPhase(look);
      look();
      return end;
    },
  });
}
