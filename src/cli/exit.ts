// With which number does a command end, and what does a failure say?
import { AppError, type ErrorCode } from "../model/error.ts";

export const EXIT = {
  ok: 0,
  unexpected: 1,
  usage: 2,
  degraded: 3,
  critical: 4,
  unreachable: 5,
  precondition: 6,
  refused: 7,
  timedOut: 8,
  partial: 9,
  noSuchThing: 10,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A failure that a command foresaw: what, why, what next, and the number to end with. */
export class CliFailure extends Error {
  readonly exit: ExitCode;
  readonly lines: readonly string[];
  constructor(exit: ExitCode, ...lines: readonly string[]) {
    super(lines.join(": "));
    this.name = "CliFailure";
    this.exit = exit;
    this.lines = lines;
  }
}

const EXIT_OF_CODE: Partial<Record<ErrorCode, ExitCode>> = {
  CONFIG_NOT_FOUND: EXIT.usage,
  CONFIG_INVALID: EXIT.usage,
  CONFIG_CONFLICT: EXIT.precondition,
  NOT_POSSIBLE: EXIT.precondition,
  PG_DISK_FULL: EXIT.precondition,
  REPO_KEY_WRONG: EXIT.precondition,
  REPO_DAMAGED: EXIT.critical,
  BACKUP_MISSING: EXIT.noSuchThing,
  DRILL_MISSING: EXIT.noSuchThing,
  PEER_UNREACHABLE: EXIT.unreachable,
  STORE_UNREACHABLE: EXIT.unreachable,
  STORE_UNKNOWN: EXIT.unreachable,
  TIMEOUT: EXIT.timedOut,
  CANCELLED: EXIT.interrupted,
};

/** The lines and the number of any failure. */
export function failureOf(error: unknown): CliFailure {
  if (error instanceof CliFailure) return error;
  if (error instanceof AppError) {
    return new CliFailure(EXIT_OF_CODE[error.code] ?? EXIT.unexpected, ...error.lines());
  }
  const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new CliFailure(EXIT.unexpected, "something unexpected happened", why);
}
