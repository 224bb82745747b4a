// What do all commands share? The choice of the cluster, said aloud.
import pc from "picocolors";
import { findTarget, type Target } from "./target.ts";
import { say } from "./terminal.ts";

/** Options that any command understands. */
export interface Shared {
  readonly config?: string;
  readonly json?: boolean;
  readonly yes?: boolean;
}

/** Finds the cluster and says which one it is, so that nobody switches over the wrong one. */
export function targetOf(flags: Shared): Target {
  const target = findTarget(flags.config);
  if (flags.json !== true) say(pc.dim(`cluster ${target.scope}, from ${target.from}`));
  return target;
}
