// What can fail in operation, and what does the person on call do about it?

/** Every error code with its sentence and the way on. Docs and this table are compared by a test. */
export const ERRORS = {
  STORE_UNREACHABLE: [
    "the consensus store did not answer",
    "check the store's endpoints and the network",
  ],
  STORE_UNKNOWN: [
    "a request to the store was sent, its outcome is not known",
    "look again before acting",
  ],
  STORE_REFUSED: [
    "the store refused the request",
    "check user, password and permissions in the store",
  ],
  STORE_NO_SPACE: [
    "the store has raised its space alarm and takes no writes",
    "compact and defragment etcd, then disarm the alarm",
  ],
  STORE_CHANGED: [
    "this is another store, or an older state of it",
    "see docs/runbooks/store_changed.md",
  ],
  PG_DATA_FOREIGN: [
    "the data directory is not one of ours",
    "name an empty directory or the right one",
  ],
  PG_DATA_OWNER: [
    "the data directory belongs to another user",
    "chown it to the user that runs PostgreSQL",
  ],
  PG_VERSION_MISMATCH: [
    "the data directory has another major version than the server programs",
    "set postgresql.bin_dir to the matching programs",
  ],
  PG_SYSTEM_ID_MISMATCH: [
    "the data directory belongs to another cluster",
    "move it away or change scope",
  ],
  PG_START_FAILED: [
    "PostgreSQL did not start",
    "read the last lines of the server log that follow",
  ],
  PG_START_TIMEOUT: [
    "PostgreSQL did not accept connections in time",
    "read the server log; recovery may need longer",
  ],
  PG_STOP_TIMEOUT: [
    "PostgreSQL did not stop in time",
    "see which process remains; the fence escalates",
  ],
  HOOK_REFUSED: [
    "a command of yours did not let it happen",
    "see why pre_promote failed; the member stands back for one ttl",
  ],
  PG_PROMOTE_FAILED: [
    "the promotion did not finish",
    "read the server log; the member stands back for one ttl",
  ],
  PG_TIMELINE_WRONG: [
    "the server promoted to another timeline than the reserved one",
    "the server was stopped; see docs/runbooks/lead_wrong_timeline.md",
  ],
  PG_CLONE_FAILED: [
    "pg_basebackup did not finish",
    "see its last lines; the old directory is untouched",
  ],
  PG_REWIND_FAILED: ["pg_rewind did not finish", "the member is rebuilt by a clone"],
  PG_NO_TOOL: ["a PostgreSQL program is missing", "install the package or set postgresql.bin_dir"],
  PROGRAM_MISSING: ["a program is missing", "install its package, or name its path in `bin`"],
  PROGRAM_TOO_OLD: ["a program is too old", "install a newer version, or name its path in `bin`"],
  PGBOUNCER_FAILED: [
    "PgBouncer does not run or answer as it should",
    "read its last words that follow",
  ],
  HAPROXY_FAILED: ["HAProxy does not run as it should", "read its last words that follow"],
  PG_SQL_FAILED: ["a statement on the local server failed", "see SQLSTATE and the server log"],
  PG_SQL_TIMEOUT: [
    "the local server did not answer a statement in time",
    "see whether it is overloaded or hung",
  ],
  PG_PARAMETER_REFUSED: [
    "a parameter is below the number that this cluster needs",
    "raise it to the number named",
  ],
  PG_DISK_FULL: ["the disk is full", "free space; the member rejoins by itself"],
  STATE_NOT_WRITABLE: [
    "the agent's own directory cannot be written",
    "let the agent's user write there, or set understudy.state_dir",
  ],
  PORT_IN_USE: ["the address is in use by another program", "free it or choose another port"],
  FENCE_LOST: [
    "the fence process does not answer",
    "it is replaced; PostgreSQL stops if that fails",
  ],
  FENCE_UNARMED: [
    "the fence is not armed for this term",
    "the step was refused; the loop looks again",
  ],
  LEASE_LOST: ["the lease is no longer ours", "the step was refused; the loop looks again"],
  PEER_UNREACHABLE: [
    "a member's REST address did not answer",
    "check the member's agent and the network",
  ],
  NAME_IN_USE: ["another agent with this name is running", "give each node its own name"],
  CONFIG_INVALID: ["the configuration is not valid", "see file, line and column"],
  CONFIG_NOT_FOUND: ["no configuration was found", "use -c FILE or UNDERSTUDY_CONFIG"],
  CONFIG_CONFLICT: [
    "somebody else changed the configuration meanwhile",
    "read it again and repeat the change",
  ],
  NOT_POSSIBLE: [
    "the request cannot be carried out now",
    "put right what is named there, then ask again",
  ],
  TIMEOUT: ["the operation took longer than allowed", "see what it waited for"],
  CANCELLED: ["the operation was cancelled", "nothing further is needed"],
  HOST_CHANGED: [
    "the data directory was last used on another host or in another container",
    "see docs/runbooks/host_changed.md before forcing it",
  ],
  REPO_UNREACHABLE: [
    "the repository did not answer",
    "check its address and the network, or that its directory is mounted",
  ],
  REPO_UNKNOWN: [
    "a request to the repository was sent, its outcome is not known",
    "look again before acting",
  ],
  REPO_REFUSED: [
    "the repository refused the request",
    "check keys, permissions and the owner of the directory",
  ],
  REPO_FULL: ["the repository is full", "free space there; archiving goes on by itself"],
  REPO_FOREIGN: [
    "the repository belongs to another cluster",
    "name another directory or prefix for this one",
  ],
  REPO_MISSING: [
    "there is no such object in the repository",
    "see what it holds: understudy backup repo list",
  ],
  REPO_CONFLICT: [
    "another object lies at this place in the repository",
    "nothing was overwritten; find out who else writes there",
  ],
  REPO_DAMAGED: [
    "an object of the repository is damaged",
    "read it from another repository, and take a new backup",
  ],
  REPO_KEY_WRONG: [
    "none of the private keys opens this object",
    "name the file with the right one in backup.encryption.identity_file",
  ],
  BACKUP_FAILED: [
    "the base backup did not finish",
    "see the cause; nothing counts that is not whole, the next run begins anew",
  ],
  BACKUP_MISSING: ["there is no such backup", "see what there is: understudy backup list"],
  DRILL_MISSING: ["there is no such drill", "see what there is: understudy drill list"],
  RESTORE_FAILED: [
    "the restore did not finish",
    "the target was not touched; run the same command again to go on",
  ],
  LAB_NOT_FOUND: [
    "there is no such lab or node",
    "see understudy lab status; start a lab with understudy lab up",
  ],
  LAB_OPTION: [
    "no lab can be made so",
    "change the option that is named; see understudy lab up --help",
  ],
  LAB_FAILED: ["the lab could not be started", "see the log named; run lab down to clean up"],
} as const satisfies Record<string, readonly [what: string, next: string]>;

export type ErrorCode = keyof typeof ERRORS;

/**
 * An operating failure. `attempt` says what was being done, `why` what is known about the cause.
 * Caught at three places only: observe, the act runner, the edge (HTTP, CLI).
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly attempt: string;
  readonly why: string;
  constructor(code: ErrorCode, attempt: string, why = "", cause?: unknown) {
    super(`${attempt}: ${ERRORS[code][0]}${why === "" ? "" : ` (${why})`}`, { cause });
    this.name = "AppError";
    this.code = code;
    this.attempt = attempt;
    this.why = why;
  }
  /** One line what, one line why, one line what next. */
  lines(): readonly [string, string, string] {
    const why = this.why === "" ? ERRORS[this.code][0] : `${ERRORS[this.code][0]}: ${this.why}`;
    return [this.attempt, why, `${ERRORS[this.code][1]} (understudy explain ${this.code})`];
  }
}

/** The failure as an AppError of `code`, keeping one that already is. */
export function asAppError(error: unknown, code: ErrorCode, attempt: string): AppError {
  if (error instanceof AppError) return error;
  return new AppError(code, attempt, error instanceof Error ? error.message : String(error), error);
}

/** A programmer's error: crash, the fence makes crashing safe. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}
