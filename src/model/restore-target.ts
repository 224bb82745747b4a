// How far shall recovery go, and how is that said to PostgreSQL?
import { type Lsn, printLsn } from "./lsn.ts";
import { printRfc3339 } from "./wire/rfc3339.ts";

export type RestoreTarget =
  /** The end of the WAL in the backup itself: where it is consistent at the latest. Needs no archive. */
  | { readonly kind: "backup" }
  /** The end of the WAL that lies in the repository without a hole. */
  | { readonly kind: "latest" }
  | { readonly kind: "time"; readonly atMs: number }
  | { readonly kind: "lsn"; readonly lsn: Lsn }
  | { readonly kind: "xid"; readonly xid: string }
  | { readonly kind: "name"; readonly name: string };

/** A target that PostgreSQL can be told: what "latest" means has been looked up. */
export type ExactTarget = Exclude<RestoreTarget, { kind: "latest" }>;

export interface Recovery {
  readonly target: ExactTarget;
  readonly timeline: number;
  readonly action: "promote" | "pause" | "shutdown";
}

/** For people: "2026-11-27 04:50:00.000+00:00", "0/3000148", "the end of the backup". */
export function printTarget(target: RestoreTarget): string {
  switch (target.kind) {
    case "backup":
      return "the end of the backup";
    case "latest":
      return "the end of the WAL that is there";
    case "time":
      return printRfc3339(target.atMs);
    case "lsn":
      return printLsn(target.lsn);
    case "xid":
      return `transaction ${target.xid}`;
    case "name":
      return `the restore point ${target.name}`;
    default:
      return target satisfies never;
  }
}

/**
 * The recovery settings, by PostgreSQL's names. The timeline is always a number: "latest" would follow whatever history
 * file appears. A target that is not reached ends recovery with an error, never early.
 */
export function recoverySettings(recovery: Recovery): Readonly<Record<string, string>> {
  const { target, timeline, action } = recovery;
  return {
    // All WAL that is needed lies in pg_wal; whatever else recovery asks for is answered with "not there".
    restore_command: "false",
    recovery_target_timeline: String(timeline),
    recovery_target_action: action,
    ...targetSetting(target),
    // A copy must never write into the archive of its original, nor wait for that one's standbys.
    archive_mode: "off",
    archive_command: "",
    primary_conninfo: "",
    primary_slot_name: "",
    synchronous_standby_names: "",
  };
}

function targetSetting(target: ExactTarget): Readonly<Record<string, string>> {
  switch (target.kind) {
    case "backup":
      // No target: the WAL in the copy is all there is, and PostgreSQL opens no copy that it leaves inconsistent.
      // "immediate" would fail on a quiet server, where no record comes behind the one that makes it consistent.
      return {};
    case "time":
      return { recovery_target_time: printRfc3339(target.atMs) };
    case "lsn":
      return { recovery_target_lsn: printLsn(target.lsn) };
    case "xid":
      return { recovery_target_xid: target.xid };
    case "name":
      return { recovery_target_name: target.name };
    default:
      return target satisfies never;
  }
}

const quote = (value: string): string =>
  `'${value.replaceAll("\\", "\\\\").replaceAll("'", "''").replaceAll("\n", "\\n")}'`;

const FIRST = "# Recovery settings of understudy restore: begin";
const LAST = "# Recovery settings of understudy restore: end";

/** The text of `postgresql.auto.conf` with the settings behind everything else: the last word counts. */
export function withRecovery(autoConf: string, settings: Readonly<Record<string, string>>): string {
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${quote(value)}`);
  const before = withoutRecovery(autoConf).replace(/\n*$/, "\n").replace(/^\n$/, "");
  return `${[before + FIRST, ...lines, LAST].join("\n")}\n`;
}

/** The text without them: recovery is over, and a standby that starts later must not find a target. */
export function withoutRecovery(autoConf: string): string {
  const from = autoConf.indexOf(FIRST);
  const to = autoConf.indexOf(LAST);
  if (from < 0 || to < from) return autoConf;
  return autoConf.slice(0, from) + autoConf.slice(to + LAST.length).replace(/^\n/, "");
}
