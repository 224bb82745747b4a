// What does a base backup say of itself? `backup.json`, written last: what lacks it is no backup.
import { type Lsn, parseLsn, printLsn } from "./lsn.ts";
import { isObject, type JsonObject } from "./wire/json.ts";
import { parseRfc3339, printRfc3339 } from "./wire/rfc3339.ts";

/** One object of a backup, as it lies in the repository. */
export interface BackupObject {
  /** Its name below the backup's folder, with the endings that tell how it is packed. */
  readonly file: string;
  readonly storedBytes: number;
  /** Of the stored bytes, in hex. */
  readonly sha256: string;
}

/** A tablespace outside the data directory, with the archive that holds it. */
export interface BackupTablespace extends BackupObject {
  readonly oid: string;
  /** Where it was on the server that was copied. */
  readonly path: string;
}

export interface BackupRecord {
  /** 2: sealed by its last line (`backup/record-text.ts`). */
  readonly format: 1 | 2;
  readonly id: string;
  readonly label: string;
  readonly scope: string;
  readonly systemId: string;
  /** As PostgreSQL counts it: 150018 is 15.18. */
  readonly versionNumber: number;
  readonly segmentBytes: number;
  /** The timeline on which it began and ended. */
  readonly timeline: number;
  /** From here recovery must replay. */
  readonly startLsn: Lsn;
  /** Here the copy is consistent: no target lies before it. */
  readonly stopLsn: Lsn;
  /** Wall-clock milliseconds of the node that took it: for people, schedules and targets in time. */
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly takenOn: string;
  readonly takenFrom: "primary" | "standby";
  /** Of all files, uncompressed: the room that a restore needs. */
  readonly dataBytes: number;
  readonly data: BackupObject;
  readonly tablespaces: readonly BackupTablespace[];
  readonly manifest: BackupObject;
}

/** Everything of a backup in the repository, `backup.json` not counted. */
export const objectsOf = (record: BackupRecord): readonly BackupObject[] => [
  record.data,
  ...record.tablespaces,
  record.manifest,
];

export const storedBytesOf = (record: BackupRecord): number =>
  objectsOf(record).reduce((sum, { storedBytes }) => sum + storedBytes, 0);

/** `15.18`, as people call it. */
export const printVersion = (versionNumber: number): string =>
  `${Math.floor(versionNumber / 10_000)}.${versionNumber % 10_000}`;

/** The id of a base backup or a logical one sorts by time and says it: `20261127T044200Z-1f2e3d4c`. */
export const backupIdOf = (startedAtMs: number, dice: string): string =>
  `${printRfc3339(startedAtMs).replaceAll(/[-:]|\..*$/g, "")}Z-${dice}`;

/** When it was begun, in wall-clock milliseconds of the node that took it; undefined for another text. */
export function begunMsOf(id: string): number | undefined {
  if (!isBackupId(id)) return undefined;
  const moment = id.replace(/^(....)(..)(..)T(..)(..)(..)Z.*$/, "$1-$2-$3T$4:$5:$6Z");
  return parseRfc3339(moment);
}

export const isBackupId = (text: unknown): text is string =>
  typeof text === "string" && /^\d{8}T\d{6}Z-[0-9a-f]{8}$/.test(text);

/** Every field, two spaces deep: a person reads it when nothing else is left. */
export const printBackupRecord = (record: BackupRecord): string => {
  const { startLsn, stopLsn, ...plain } = record;
  const lsns = { startLsn: printLsn(startLsn), stopLsn: printLsn(stopLsn) };
  return `${JSON.stringify({ ...plain, ...lsns }, undefined, 2)}\n`;
};

/** Undefined when it is not one of ours, is damaged, or of a format that is newer than we are. */
export function parseBackupRecord(text: string): BackupRecord | undefined {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(read) || (read["format"] !== 1 && read["format"] !== 2)) return undefined;
  const startLsn = parseLsn(String(read["startLsn"]));
  const stopLsn = parseLsn(String(read["stopLsn"]));
  const data = objectIn(read["data"]);
  const manifest = objectIn(read["manifest"]);
  const tablespaces = listIn(read["tablespaces"], tablespaceIn);
  if (startLsn === undefined || stopLsn === undefined) return undefined;
  if (data === undefined || manifest === undefined || tablespaces === undefined) return undefined;
  if (!hasTexts(read) || !hasNumbers(read)) return undefined;
  const plain = read as unknown as BackupRecord;
  return { ...plain, startLsn, stopLsn, data, manifest, tablespaces };
}

const TEXTS = ["id", "label", "scope", "systemId", "takenOn", "takenFrom"] as const;
const NUMBERS = [
  "versionNumber",
  "segmentBytes",
  "timeline",
  "startedAtMs",
  "finishedAtMs",
  "dataBytes",
] as const;

const hasTexts = (read: JsonObject): boolean =>
  TEXTS.every((name) => typeof read[name] === "string");
const hasNumbers = (read: JsonObject): boolean =>
  NUMBERS.every((name) => Number.isSafeInteger(read[name]));

function objectIn(value: unknown): BackupObject | undefined {
  if (!isObject(value)) return undefined;
  const { file, storedBytes, sha256 } = value;
  if (typeof file !== "string" || !/^[\w.]+$/.test(file)) return undefined;
  if (typeof storedBytes !== "number" || typeof sha256 !== "string") return undefined;
  return { file, storedBytes, sha256 };
}

function tablespaceIn(value: unknown): BackupTablespace | undefined {
  const object = objectIn(value);
  if (object === undefined || !isObject(value)) return undefined;
  const { oid, path } = value;
  return typeof oid === "string" && typeof path === "string" ? { ...object, oid, path } : undefined;
}

function listIn<T>(
  value: unknown,
  itemIn: (item: unknown) => T | undefined,
): readonly T[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const items = value.flatMap((item) => itemIn(item) ?? []);
  return items.length === value.length ? items : undefined;
}
