// How does the agent say why it could not start? One line what, one line why, one line what next, an exit code.
import { AppError, type ErrorCode } from "../model/error.ts";

/** Exit codes as the CLI's: 2 usage or configuration, 5 store, 6 precondition, 1 anything unexpected. */
const EXIT: Partial<Record<ErrorCode, number>> = {
  CONFIG_INVALID: 2,
  CONFIG_NOT_FOUND: 2,
  PG_PARAMETER_REFUSED: 2,
  STORE_UNREACHABLE: 5,
  STORE_REFUSED: 5,
  PORT_IN_USE: 6,
  NAME_IN_USE: 6,
  NOT_POSSIBLE: 6,
  STATE_NOT_WRITABLE: 6,
  PG_DATA_FOREIGN: 6,
  PG_DATA_OWNER: 6,
  PG_DISK_FULL: 6,
  PG_VERSION_MISMATCH: 6,
  PG_SYSTEM_ID_MISMATCH: 6,
  PG_NO_TOOL: 6,
  HOST_CHANGED: 6,
};

/** Prints the three lines to stderr and answers the exit code. */
export function report(error: unknown): number {
  if (!(error instanceof AppError)) {
    process.stderr.write(
      `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    return 1;
  }
  process.stderr.write(`${error.lines().join("\n")}\n`);
  return EXIT[error.code] ?? 1;
}
