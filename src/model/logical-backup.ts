// What is a logical backup, and what does it say of itself? (`backup.json`, written last: what lacks it is none)
import { isBackupId } from "./backup-record.ts";
import { AppError } from "./error.ts";
import { isObject } from "./wire/json.ts";

export const DUMP_FORMATS = ["custom", "directory", "plain"] as const;
export type DumpFormat = (typeof DUMP_FORMATS)[number];

/** What is asked for; a wish that cannot be is refused in words. */
export interface DumpWish {
  /** Undefined: no database, only the globals. */
  readonly database: string | undefined;
  /** Patterns as pg_dump takes them; none: the whole database. */
  readonly tables: readonly string[];
  readonly format: DumpFormat;
  readonly jobs: number;
  /** Roles and tablespaces as well. */
  readonly globals: boolean;
}

/** One object of it. */
export interface DumpObject {
  /** Below the backup's folder. */
  readonly file: string;
  readonly what: "database" | "globals";
  readonly storedBytes: number;
  /** Of the stored bytes, in hex. */
  readonly sha256: string;
}

/** How far the stored dump was looked at, right after it was stored. */
export interface DumpProof {
  readonly atMs: number;
  /** `bytes`: read back, they are those that were sent. `contents`: pg_restore could also list what is in it. */
  readonly depth: "bytes" | "contents";
  /** Entries in the table of contents. */
  readonly entries: number | undefined;
}

export interface LogicalRecord extends DumpWish {
  readonly apiVersion: 1;
  readonly kind: "logical";
  readonly id: string;
  readonly scope: string;
  readonly systemId: string;
  readonly takenOn: string;
  /** PostgreSQL's own words, as `15.14 (Debian …)`. */
  readonly serverVersion: string;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly objects: readonly DumpObject[];
  readonly proof: DumpProof;
}

export const printLogical = (record: LogicalRecord): string =>
  `${JSON.stringify(record, undefined, 2)}\n`;

/** Undefined when it is not one of ours, is damaged, or newer than we are. */
export function parseLogical(text: string): LogicalRecord | undefined {
  try {
    const read: unknown = JSON.parse(text);
    if (!isObject(read) || read["apiVersion"] !== 1 || read["kind"] !== "logical") return undefined;
    const { id, objects, proof } = read;
    if (!isBackupId(id) || !Array.isArray(objects) || !isObject(proof)) return undefined;
    return objects.every(isDumpObject) ? (read as unknown as LogicalRecord) : undefined;
  } catch {
    return undefined;
  }
}

const isDumpObject = (value: unknown): boolean =>
  isObject(value) && typeof value["file"] === "string" && /^[\w.-]+$/.test(value["file"]);

const refuse = (why: string): never => {
  throw new AppError("NOT_POSSIBLE", "taking a logical backup", why);
};

/** The wish in the input of a job. Throws NOT_POSSIBLE, one line for the first mistake. */
export function parseDumpWish(input: Readonly<Record<string, unknown>>): DumpWish {
  const { database, tables = [], format = "custom", jobs = 1, globals = false } = input;
  if (database !== undefined && (typeof database !== "string" || database === ""))
    refuse("the database must be a name");
  if (!Array.isArray(tables) || !tables.every((one) => typeof one === "string" && one !== ""))
    refuse("tables must be names or patterns");
  if (!DUMP_FORMATS.some((one) => one === format))
    refuse(`the format must be one of ${DUMP_FORMATS.join(", ")}, not "${String(format)}"`);
  if (typeof jobs !== "number" || !Number.isInteger(jobs) || jobs < 1 || jobs > 32)
    refuse("jobs go from 1 to 32");
  if (jobs !== 1 && format !== "directory") refuse("several jobs need the format directory");
  if (database === undefined && globals !== true) refuse("name a database, or ask for the globals");
  if (database === undefined && (tables as unknown[]).length > 0)
    refuse("tables need the database in which they are");
  return {
    database: database as string | undefined,
    tables: tables as readonly string[],
    format: format as DumpFormat,
    jobs: jobs as number,
    globals: globals === true,
  };
}
