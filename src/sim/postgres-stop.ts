// A clean stop in the simulation: writes end, shutdown checkpoint, walsenders are waited for, bounded (R26, R36).
import { AppError } from "../model/error.ts";
import { type Lsn, lsn } from "../model/lsn.ts";
import { ask } from "./ask.ts";
import type { SimHost } from "./host.ts";
import type { SimProcess } from "./process.ts";
import type { Run } from "./server.ts";

export interface StopRequest {
  readonly host: SimHost;
  readonly agent: SimProcess;
  readonly timeoutMs: number;
  readonly onShutdown: ((end: Lsn) => Promise<void>) | undefined;
  readonly signal: AbortSignal;
}

/** How long the walsenders get after the end of WAL is final and its consequence has been drawn. */
const WALSENDER_GRACE_MS = 500;

/** Stops the server; `onShutdown` hears the end of WAL as soon as the control file says "shut down". */
export async function stopServer(request: StopRequest): Promise<void> {
  const { host, onShutdown } = request;
  const run = host.server.run;
  if (run === undefined) return;
  const wasPrimary = run.phase === "primary";
  await phase(request, run, (now) => now === undefined || now.phase === "ended");
  if (wasPrimary && onShutdown !== undefined && host.disk.data?.control.state === "shut down") {
    await onShutdown(lsn(Math.floor(host.disk.data.end)));
  }
  await phase({ ...request, timeoutMs: WALSENDER_GRACE_MS }, run, (now) => now === undefined).catch(
    (error: unknown) => {
      if (!(error instanceof AppError) || error.code !== "PG_STOP_TIMEOUT") throw error;
      host.server.quit();
    },
  );
  await phase({ ...request, timeoutMs: WALSENDER_GRACE_MS }, run, (now) => now === undefined);
}

/** Asks for the stop and waits for a phase of the same run. */
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
      if (server.run === run && run.postmaster === "ok") server.fastStop(run);
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
