// Where is HAProxy, is it new enough, and does it accept a configuration?
import { AppError } from "../../model/error.ts";
import type { Ms } from "../../model/time.ts";
import type { OsUser } from "../system/os-user.ts";
import { findInstalled, unprivileged } from "../system/program.ts";
import { run } from "../system/spawn.ts";

/** Older ones cannot move a health check to another address, which the slots need. */
const OLDEST = { major: 2, minor: 4 } as const;
const ASK_LIMIT_MS: Ms = 10_000;
/** Its last lines: of a refusal they say file, line and why. */
const SHOWN_WORDS = 600;

export interface Program {
  readonly path: string;
  readonly version: string;
  /** Whom it becomes when we are root. */
  readonly user: OsUser | undefined;
}

/** Finds the program by path or name and asks its version. Throws PROGRAM_MISSING or PROGRAM_TOO_OLD. */
export async function findHaproxy(bin: string): Promise<Program> {
  const path = findInstalled(bin);
  const { stdout } = await run({ program: path, args: ["-v"], timeoutMs: ASK_LIMIT_MS });
  const [, version = "", major = "0", minor = "0"] =
    /version ((\d+)\.(\d+)\S*)/i.exec(stdout) ?? [];
  const isNewEnough =
    Number(major) > OLDEST.major ||
    (Number(major) === OLDEST.major && Number(minor) >= OLDEST.minor);
  if (!isNewEnough) {
    const why = `${path} is ${version || "of unknown version"}, needed is ${OLDEST.major}.${OLDEST.minor}`;
    throw new AppError("PROGRAM_TOO_OLD", "looking for HAProxy", why);
  }
  // The package's own user where there is one; a balancer needs no rights at all.
  return { path, version, user: unprivileged("haproxy") };
}

/** Throws HAPROXY_FAILED, with HAProxy's own words, when it would not start with this file. */
export async function validate(program: Program, file: string, signal: AbortSignal): Promise<void> {
  const { code, stderr, stdout } = await run({
    program: program.path,
    args: ["-c", "-f", file],
    timeoutMs: ASK_LIMIT_MS,
    signal,
  });
  if (code === 0) return;
  const words = `${stderr}${stdout}`.trim().slice(-SHOWN_WORDS);
  throw new AppError("HAPROXY_FAILED", `checking ${file}`, words);
}
