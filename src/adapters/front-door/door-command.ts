// A command of the user's that leads clients to the primary: it is told each step and the term, and its exit code counts.
import { AppError } from "../../model/error.ts";
import type { Ms } from "../../model/time.ts";
import type { FrontDoor } from "../../ports/front-door.ts";
import { runHook } from "../system/hook.ts";
import type { OsUser } from "../system/os-user.ts";

export interface DoorCommandOptions {
  readonly command: string;
  readonly scope: string;
  readonly name: string;
  readonly user: OsUser | undefined;
}

const COMMAND_LIMIT_MS: Ms = 10_000;
const SHOWN_OUTPUT = 300;

/** Called as `COMMAND STEP SCOPE NAME TERM`; a step that is told again must do no harm. */
export function createDoorCommand(o: DoorCommandOptions): FrontDoor {
  const call = async (step: string, term: number | undefined, signal: AbortSignal) => {
    const more = term === undefined ? [] : [`${term}`];
    const { code, stderr } = await runHook({
      name: `front_door ${step}`,
      command: o.command,
      args: [step, o.scope, o.name, ...more],
      timeoutMs: COMMAND_LIMIT_MS,
      user: o.user,
      cwd: "/",
      signal,
    });
    return { isGood: code === 0, words: stderr.trim().slice(-SHOWN_OUTPUT) };
  };
  const demand = async (step: string, term: number | undefined, signal: AbortSignal) => {
    const { isGood, words } = await call(step, term, signal);
    if (!isGood) throw new AppError("HOOK_REFUSED", `front_door ${step}`, words);
  };
  let acquired: number | undefined;
  return {
    prepare: (term, signal) => demand("prepare", term, signal),
    /** Once a term: what a command moves has no end of its own that would have to be prolonged. */
    async acquire(term, _forMs, signal) {
      if (acquired === term) return;
      await demand("acquire", term, signal);
      acquired = term;
    },
    verify: async (term, signal) => (await call("verify", term, signal)).isGood,
    release(signal) {
      acquired = undefined;
      return demand("release", undefined, signal);
    },
  };
}
