// What was asked of this one node, and is it done?
import type { HaWorld, Requests } from "../controllers/ha/world.ts";

export const NO_REQUESTS: Requests = {
  restart: undefined,
  reinitialise: undefined,
  stopping: undefined,
};

/** A request is done when the world shows it: a server started after it, or a clone that ended after it. */
export function unfulfilled(requests: Requests, w: HaWorld): Requests {
  const { restart, reinitialise } = requests;
  const { process } = w.server;
  const restarted =
    restart !== undefined && process.kind === "running" && process.startedAt > restart.at;
  const cloned = w.outcomes["clone"];
  const rebuilt = reinitialise !== undefined && cloned?.ok === true && cloned.at > reinitialise.at;
  return {
    ...requests,
    restart: restarted ? undefined : restart,
    reinitialise: rebuilt ? undefined : reinitialise,
  };
}
