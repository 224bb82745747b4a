// Is `backup.json` as it was written? Its last line seals everything before, so that one changed bit shows.
import { createHash } from "node:crypto";
import { type BackupRecord, parseBackupRecord, printBackupRecord } from "../model/backup-record.ts";

const SEALED = /^(.*,\n) {2}"seal": "([0-9a-f]{64})"\n\}\n$/s;

export function recordText(record: BackupRecord): string {
  const covered = printBackupRecord(record).replace(/\n\}\n$/, ",\n");
  return `${covered}  "seal": "${sha256(covered)}"\n}\n`;
}

/** Undefined when it is none of ours, newer than we are, or not as it was written. The first format had no seal. */
export function recordIn(text: string): BackupRecord | undefined {
  const record = parseBackupRecord(text);
  if (record?.format !== 2) return record;
  const [, covered = "", seal] = SEALED.exec(text) ?? [];
  return seal === sha256(covered) ? record : undefined;
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
