// On what else does the meaning of a node's file hang? The variables and the working directory of the agent.
import type { Around } from "../../model/settings-file.ts";

/** Of this process: workers and the command line are started with the agent's, so that a file means one thing. */
export const aroundHere = (): Around => ({ environment: process.env, folder: workingDirectory() });

/** It may have been removed under us; then only whole names mean anything. */
function workingDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return "/";
  }
}
