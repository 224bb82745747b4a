// How does the fence become the parent of the postmaster, and what ends the server when the fence is killed (R4)?
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { accessSync, closeSync, constants, fchownSync, openSync } from "node:fs";
import { AppError } from "../../model/error.ts";
import type { Ms } from "../../model/time.ts";
import type { ServerCommand } from "../../ports/fence.ts";
import type { OsUser } from "../system/os-user.ts";
import { readProcess } from "../system/process-list.ts";
import { lookAtServer } from "../system/server-look.ts";
import type { Privileges } from "./privileges.ts";

const PROBE_LIMIT_MS: Ms = 5000;

/**
 * A fence killed between its fork and setpriv's prctl would leave a server that nobody told. The shell runs after the
 * prctl: if its parent is the fence then, every later death of the fence is told. It becomes the server itself.
 */
const ONLY_AS_OUR_CHILD = '[ "$PPID" = "$0" ] && exec "$@"; exit 75';

export interface ServerExit {
  readonly pid: number;
  readonly code: number | undefined;
  readonly signal: string | undefined;
}

export interface ServerChildOptions {
  readonly dataDir: string;
  readonly user: OsUser | undefined;
  readonly privileges: Privileges;
  readonly onExit: (exit: ServerExit) => void;
}

export class ServerChild {
  readonly #options: ServerChildOptions;
  readonly #setpriv: readonly string[] | undefined;
  #child: ChildProcess | undefined;

  constructor(options: ServerChildOptions) {
    this.#options = options;
    const wrapper = setprivFor(options.user);
    this.#setpriv = canRun(wrapper) ? wrapper : undefined;
  }

  get lacking(): readonly string[] {
    return this.#setpriv === undefined ? ["parent-death signal"] : [];
  }

  /** pid of the living postmaster that is our child. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts it; throws when anything of a server is still there, or when it cannot be started. */
  start(command: ServerCommand): number {
    const attempt = "starting the server";
    const left = lookAtServer({ dataDir: this.#options.dataDir });
    if (this.#child !== undefined || !left.isDown) {
      const why = `${Math.max(left.processes.length, left.attached)} processes of a server are there`;
      throw new AppError("PG_START_FAILED", attempt, why);
    }
    requireProgram(command.program);
    const child = this.#spawn(command);
    const { pid } = child;
    if (pid === undefined) throw new AppError("PG_START_FAILED", attempt, "no process came up");
    this.#child = child;
    child.once("exit", (code, signal) => {
      this.#child = undefined;
      this.#options.onExit({ pid, code: code ?? undefined, signal: signal ?? undefined });
    });
    const parent = readProcess(pid)?.ppid;
    if (parent !== undefined && parent !== process.pid) {
      throw new AppError("PG_START_FAILED", attempt, `its parent is ${parent}, not the fence`);
    }
    return pid;
  }

  #spawn(command: ServerCommand): ChildProcess {
    const { user, privileges, dataDir } = this.#options;
    const log = openServerLog(command.logFile, user);
    const [program, ...args] = [
      ...(this.#setpriv ?? []),
      ...(this.#setpriv ? ["/bin/sh", "-c", ONLY_AS_OUR_CHILD, String(process.pid)] : []),
      command.program,
      ...command.args,
    ] as const;
    try {
      return privileges.without(() => {
        const child = spawn(program ?? command.program, args, {
          // In the data directory from its first moment on, so that it can be found by it (R3).
          cwd: dataDir,
          env: { PATH: process.env["PATH"], ...command.environment },
          stdio: ["ignore", log, log],
          detached: true,
          ...(this.#setpriv === undefined && user && { uid: user.uid, gid: user.gid }),
        });
        // A failed spawn shows as a missing pid; the event would end the fence.
        child.once("error", () => undefined);
        return child;
      });
    } finally {
      closeSync(log);
    }
  }
}

function setprivFor(user: OsUser | undefined): readonly string[] {
  const identity =
    user === undefined
      ? []
      : ["--reuid", String(user.uid), "--regid", String(user.gid), "--init-groups"];
  return ["setpriv", ...identity, "--pdeathsig", "QUIT", "--"];
}

/** Tried rather than looked for: a small setpriv knows no parent-death signal. */
function canRun([program, ...args]: readonly string[]): boolean {
  const probe = spawnSync(program ?? "", [...args, "true"], {
    timeout: PROBE_LIMIT_MS,
    stdio: "ignore",
  });
  return probe.status === 0;
}

function requireProgram(program: string): void {
  try {
    accessSync(program, constants.X_OK);
  } catch (error) {
    throw new AppError("PG_NO_TOOL", "starting the server", program, error);
  }
}

function openServerLog(path: string, user: OsUser | undefined): number {
  try {
    const file = openSync(path, "a", 0o640);
    if (user !== undefined) fchownSync(file, user.uid, user.gid);
    return file;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    const why = error instanceof Error ? error.message : String(error);
    const kind = code === "ENOSPC" ? "PG_DISK_FULL" : "PG_START_FAILED";
    throw new AppError(kind, "opening the server's log", why, error);
  }
}
