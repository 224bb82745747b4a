// How is a command of the user's run: as the server's user, bounded, with all that it starts ended with it?
import type { Ms } from "../../model/time.ts";
import type { OsUser } from "./os-user.ts";
import { type RunResult, run } from "./spawn.ts";

export interface Hook {
  /** For messages: the setting that names the command. */
  readonly name: string;
  /** As the shell reads it; `args` come behind it. */
  readonly command: string;
  readonly args: readonly string[];
  /** Undefined where nobody knows how long it takes: the signal ends it. */
  readonly timeoutMs: Ms | undefined;
  readonly user: OsUser | undefined;
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly signal?: AbortSignal;
}

/** Runs it to its end, whatever its exit code. Throws TIMEOUT at the limit, and the signal's reason. */
export const runHook = ({ name, command, args, ...options }: Hook): Promise<RunResult> =>
  run({ program: "/bin/sh", args: ["-c", `${command} "$@"`, name, ...args], ...options });
