// How does a record look to people and programs outside?
import { type BackupRecord, printVersion, storedBytesOf } from "../model/backup-record.ts";
import type { BackupList, ListedBackup, ListedVerification } from "../model/backup-words.ts";
import { printLsn } from "../model/lsn.ts";
import { unpacked } from "../model/repo-keys.ts";
import type { Verification } from "../model/verification.ts";
import { printRfc3339 } from "../model/wire/rfc3339.ts";
import type { Catalogue } from "./catalogue.ts";

export function listedOf(
  record: BackupRecord,
  repo: string,
  verification?: Verification,
): ListedBackup {
  const { compression, encrypted } = unpacked(record.data.file).packing;
  return {
    id: record.id,
    label: record.label,
    repo,
    startedAt: printRfc3339(record.startedAtMs),
    finishedAt: printRfc3339(record.finishedAtMs),
    startedAtMs: record.startedAtMs,
    tookMs: record.finishedAtMs - record.startedAtMs,
    takenOn: record.takenOn,
    takenFrom: record.takenFrom,
    version: printVersion(record.versionNumber),
    timeline: record.timeline,
    startLsn: printLsn(record.startLsn),
    stopLsn: printLsn(record.stopLsn),
    dataBytes: record.dataBytes,
    storedBytes: storedBytesOf(record),
    tablespaces: record.tablespaces.map(({ oid, path }) => ({ oid, path })),
    packing: encrypted ? `${compression}, encrypted` : compression,
    ...(verification === undefined ? {} : { verified: listedVerification(verification) }),
  };
}

export const listedVerification = (
  verification: Verification & { readonly why?: string | undefined },
): ListedVerification => ({
  at: printRfc3339(verification.atMs),
  atMs: verification.atMs,
  depth: verification.depth,
  outcome: verification.outcome,
  ...(verification.why === undefined ? {} : { why: verification.why }),
});

export const listOf = (catalogue: Catalogue, repo: string): BackupList => ({
  repo,
  items: catalogue.backups.map(({ record, verifications }) =>
    listedOf(record, repo, verifications[0]),
  ),
  unfinished: catalogue.unfinished.map(({ id }) => id),
  unreadable: catalogue.unreadable,
  expiring: catalogue.expiring,
});
