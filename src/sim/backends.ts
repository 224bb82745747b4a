// What a single process of a server can do to the others.
import type { SimServer } from "./server.ts";

/** One backend dies: the postmaster ends the others, forgets their memory and starts its server anew, itself staying. */
export function crashBackend(server: SimServer): void {
  const { run } = server;
  if (run?.phase !== "primary" || run.postmaster !== "ok" || run.frozen) return;
  // Nobody hears of an exit, for the postmaster does not exit.
  run.postmaster = "dead";
  server.vanish("a backend crashed");
  const { guarded, listens } = run;
  server.start({ asStandby: false, guarded, listens, resetOf: run });
}

/** From now on every session gets an error, or no longer. */
export function setFailing(server: SimServer, failing: boolean): void {
  const { run } = server;
  if (run === undefined) return;
  run.failing = failing;
  server.phaseChanged();
}
