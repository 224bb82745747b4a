// Which options does the file give to a program that we run for it?
import type { Section } from "./settings-reader.ts";

/** Options that we set ourselves, so a file must not. */
const OURS = {
  initdb: ["pgdata", "pwfile", "pwprompt", "username", "nosync", "no-sync", "sync-only", "version"],
  basebackup: [
    "pgdata",
    "format",
    "wal-method",
    "xlog-method",
    "gzip",
    "compress",
    "host",
    "port",
    "username",
    "dbname",
    "password",
    "no-password",
    "slot",
    "create-slot",
    "write-recovery-conf",
    "target",
    "version",
  ],
} as const;

/** Patroni's form, a list of names and of `name: value`, or one mapping; answers `--name=value` texts. */
export function readOptions(section: Section, key: keyof typeof OURS): readonly string[] {
  const written = section.plain(key);
  if (written === undefined) return [];
  const list: readonly unknown[] = Array.isArray(written) ? written : [written];
  return list.flatMap((item) => {
    const pairs = optionPairs(item);
    if (pairs === undefined) {
      section.problem(key, 'must be a list of names and of "name: value" lines');
      return [];
    }
    return pairs.flatMap((pair) => optionText(section, key, pair));
  });
}

type OptionPair = readonly [name: string, value: unknown];

function optionPairs(item: unknown): readonly OptionPair[] | undefined {
  if (typeof item === "string") return [[item, true]];
  if (typeof item !== "object" || item === null || Array.isArray(item)) return undefined;
  return Object.entries(item);
}

function optionText(section: Section, key: keyof typeof OURS, pair: OptionPair): readonly string[] {
  const name = pair[0].replace(/^--/, "");
  const value = pair[1];
  if (!/^[a-z][a-z0-9-]*$/i.test(name) || name.length === 1) {
    section.problem(key, `has "${pair[0]}", which is not the long name of an option`);
    return [];
  }
  if ((OURS[key] as readonly string[]).includes(name)) {
    section.problem(key, `must not set ${name}: Understudy sets it itself`);
    return [];
  }
  if (value === false) return [];
  if (value === true || value === null) return [`--${name}`];
  return [`--${name}=${typeof value === "string" ? value : JSON.stringify(value)}`];
}
