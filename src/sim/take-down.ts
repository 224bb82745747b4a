// How does a process end a server? SIGQUIT to the postmaster, then SIGKILL to it and to every process (R1).
import type { Kernel } from "./kernel.ts";
import type { SimProcess } from "./process.ts";
import type { SimServer } from "./server.ts";

export interface TakeDownOptions {
  readonly server: SimServer;
  readonly kernel: Kernel;
  /** Who does it: when it is stopped, nothing goes on. */
  readonly process: SimProcess;
  readonly graceMs: number;
  /** False for a group kill, which reaches the postmaster alone. */
  readonly reachesBackends: boolean;
}

const ROUND_MS = 10;
const ROUNDS = 3_000;

export function takeDown(options: TakeDownOptions, done: (isDown: boolean) => void): void {
  const { server, kernel, process, graceMs, reachesBackends } = options;
  const round = (left: number): void => {
    if (server.run === undefined || left === 0) {
      done(server.run === undefined);
      return;
    }
    server.killPostmaster();
    if (reachesBackends) server.killEveryProcess();
    kernel.after(ROUND_MS, () => process.deliver(() => round(left - 1)));
  };
  if (server.run === undefined) {
    done(true);
    return;
  }
  server.quit();
  const isDeaf = server.run.postmaster !== "ok";
  const until = kernel.now + (isDeaf ? 1 : graceMs);
  const wait = (): void => {
    if (server.run === undefined || kernel.now >= until) round(ROUNDS);
    else kernel.after(ROUND_MS, () => process.deliver(wait));
  };
  wait();
}
