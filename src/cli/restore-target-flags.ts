// To where shall recovery go, as it is said on a command line? The same flags for restores and drills.
import type { Command } from "commander";
import type { WishedTarget } from "../model/backup-words.ts";
import { CliFailure, EXIT } from "./exit.ts";

export interface TargetFlags {
  readonly to?: string;
  readonly toTime?: string;
  readonly toLsn?: string;
  readonly toXid?: string;
  readonly toName?: string;
}

export const withTargetFlags = (command: Command): Command =>
  command
    .option(
      "--to <what>",
      "latest-proven (when nothing is said), or backup: no further than itself",
    )
    .option("--to-time <moment>", "with its zone: 2026-11-27 04:50:00+01")
    .option("--to-lsn <position>", "a position in the WAL: 0/3000148")
    .option("--to-xid <number>", "a transaction")
    .option("--to-name <name>", "a restore point made with pg_create_restore_point");

/** At most one target may be said; none means everything that lies in the repository without a hole. */
export function targetIn(flags: TargetFlags): WishedTarget {
  const said: WishedTarget[] = [];
  if (flags.to === "backup") said.push({ kind: "backup" });
  else if (flags.to === "latest-proven") said.push({ kind: "latest" });
  else if (flags.to !== undefined) {
    throw new CliFailure(EXIT.usage, `--to is ${flags.to}`, "say latest-proven or backup");
  }
  if (flags.toTime !== undefined) said.push({ kind: "time", at: flags.toTime });
  if (flags.toLsn !== undefined) said.push({ kind: "lsn", at: flags.toLsn });
  if (flags.toXid !== undefined) said.push({ kind: "xid", at: flags.toXid });
  if (flags.toName !== undefined) said.push({ kind: "name", at: flags.toName });
  const [target = { kind: "latest" }, ...more] = said;
  if (more.length === 0) return target;
  const why = `${said.length} targets are given`;
  throw new CliFailure(EXIT.usage, why, "recovery stops at one of them: say which");
}
