// A repository full of what expires and what does not, without any server: what it must hold before and afterwards.
import { expect } from "vitest";
import { bytesOf } from "../../src/backup/bytes.ts";
import { readCatalogue } from "../../src/backup/catalogue.ts";
import { keepProof } from "../../src/backup/drill-proofs.ts";
import { openSigner } from "../../src/backup/signing.ts";
import { type BackupRecord, printBackupRecord } from "../../src/model/backup-record.ts";
import type { DrillProof } from "../../src/model/drill.ts";
import { type LogicalRecord, printLogical } from "../../src/model/logical-backup.ts";
import { lsn } from "../../src/model/lsn.ts";
import { baseKey, logicalKey, walKey } from "../../src/model/repo-keys.ts";
import { printIdentity, type RepositoryIdentity } from "../../src/model/repository.ts";
import type { NodeSettings } from "../../src/model/settings.ts";
import { verificationKey } from "../../src/model/verification.ts";
import type { Repo } from "../../src/ports/repo.ts";

const SEGMENT = 16 * 1024 * 1024;
export const PLAIN = { compression: "none", encrypted: false } as const;
export const IDENTITY: RepositoryIdentity = {
  ...{ format: 1, scope: "shop", namespace: "service", systemId: "77127100", storeId: "1" },
};
export const limit = (): AbortSignal => AbortSignal.timeout(40_000);
/** The n-th backup; a later one has a larger number. */
export const idOf = (n: number): string => `20261127T04000${n}Z-0000000${n}`;
export const RETENTION = {
  base: { count: 2, spanMs: undefined },
  logical: { count: 1, spanMs: undefined },
};

const recordOf = (n: number, more: Partial<BackupRecord> = {}): BackupRecord => {
  const object = { storedBytes: 4, sha256: "ab".repeat(32) };
  const at = Date.now();
  return {
    ...{ format: 1, id: idOf(n), label: "", scope: "shop", systemId: IDENTITY.systemId },
    ...{ versionNumber: 150_018, segmentBytes: SEGMENT, timeline: 1, dataBytes: 4 },
    ...{ startLsn: lsn(n * SEGMENT + 40), stopLsn: lsn(n * SEGMENT + 5000) },
    ...{ startedAtMs: at, finishedAtMs: at, takenOn: "n1", takenFrom: "standby" },
    ...{ data: { ...object, file: "base.tar" }, tablespaces: [] },
    ...{ manifest: { ...object, file: "backup_manifest" } },
    ...more,
  };
};

export const segment = (number: number, timeline = 1): string =>
  `0000000${timeline}00000000${number.toString(16).toUpperCase().padStart(8, "0")}`;

export const putText = async (repo: Repo, key: string, text: string): Promise<void> =>
  void (await repo.put(key, bytesOf(text), {}, limit()));

export async function putBackup(
  repo: Repo,
  n: number,
  more: Partial<BackupRecord> = {},
): Promise<void> {
  for (const file of ["begun.json", "base.tar", "backup_manifest"])
    await putText(repo, baseKey(idOf(n), file), "data");
  await putText(repo, baseKey(idOf(n), "backup.json"), printBackupRecord(recordOf(n, more)));
}

const prove = (repo: Repo, n: number, outcome: "passed" | "failed" = "passed"): Promise<void> =>
  putText(repo, verificationKey(idOf(n), { atMs: 1, depth: "content", outcome }), "{}");

/** Leaves the signed proof of a drill that failed. */
export async function failDrill(repo: Repo, n: number, keyFile: string): Promise<void> {
  const signer = await openSigner({ backup: { drill: { keyFile } } } as NodeSettings);
  const atMs = Date.now();
  const backup = { finishedAtMs: 1, timeline: 1, stopLsn: "0/1", dataBytes: 4, objects: [] };
  const proof: DrillProof = {
    ...{ format: 1, kind: "drill", id: idOf(9), outcome: "failed", why: "pg_amcheck: damaged" },
    ...{ scope: "shop", systemId: IDENTITY.systemId, repo: repo.name, ranOn: "n1" },
    ...{ software: "0", postgres: "15", begunAt: "", begunAtMs: atMs, endedAtMs: atMs },
    ...{ backup: { ...backup, id: idOf(n) }, target: "the end", walSegments: 0 },
    ...{ phases: [], checks: [], signer: signer.name },
  };
  await keepProof(repo, { proof, signer }, limit());
}

async function putDump(repo: Repo, n: number): Promise<void> {
  const at = Date.now();
  const record: LogicalRecord = {
    ...{ apiVersion: 1, kind: "logical", id: idOf(n), scope: "shop", systemId: IDENTITY.systemId },
    ...{ takenOn: "n1", serverVersion: "15", startedAtMs: at, finishedAtMs: at + n, database: "a" },
    ...{ tables: [], format: "custom", jobs: 1, globals: false, objects: [] },
    proof: { atMs: at, depth: "bytes", entries: undefined },
  };
  await putText(repo, logicalKey(idOf(n), "backup.json"), printLogical(record));
}

/** Four backups, the second verified, WAL of two timelines, pieces of segments, two dumps. */
export async function fill(repo: Repo): Promise<void> {
  await putText(repo, "repository.json", printIdentity(IDENTITY));
  for (const n of [1, 2, 3, 4]) await putBackup(repo, n);
  await prove(repo, 1);
  await prove(repo, 2);
  for (const n of [5, 6]) await putDump(repo, n);
  for (const number of [0, 1, 2, 3, 4, 5])
    await putText(repo, walKey(segment(number), PLAIN) ?? "", "wal");
  await putText(repo, walKey(segment(0, 2), PLAIN) ?? "", "wal of another branch");
  await putText(repo, walKey("00000002.history", PLAIN) ?? "", "1\t0/500000\tno reason\n");
  for (const number of [4, 6])
    await putText(repo, `tail/${segment(number)}/00000000-00000010`, "x");
}

const byName = (a: string | undefined, b: string | undefined): number =>
  String(a) < String(b) ? -1 : 1;

/** Of `fill`, what the retention leaves. */
export const LEFT = [
  ...[2, 3, 4].flatMap((n) =>
    ["backup.json", "backup_manifest", "base.tar", "begun.json"].map((f) => baseKey(idOf(n), f)),
  ),
  logicalKey(idOf(6), "backup.json"),
  verificationKey(idOf(2), { atMs: 1, depth: "content", outcome: "passed" }),
  "repository.json",
  `tail/${segment(6)}/00000000-00000010`,
  ...[2, 3, 4, 5].map((number) => walKey(segment(number), PLAIN)),
  "wal/00000002.history",
].toSorted(byName);

export const keysIn = async (repo: Repo): Promise<readonly string[]> =>
  (await repo.list("", limit())).map(({ key }) => key).toSorted();

/** Every backup that still counts as one is whole, and all WAL from its start is there. */
export async function requireConsistent(repo: Repo): Promise<void> {
  const keys = new Set(await keysIn(repo));
  const { backups, unreadable, unfinished } = await readCatalogue(repo, limit());
  expect([unreadable, unfinished]).toEqual([[], []]);
  for (const { record } of backups) {
    for (const { file } of [record.data, record.manifest])
      expect(keys).toContain(baseKey(record.id, file));
    for (let number = Number(record.startLsn / BigInt(SEGMENT)); number <= 5; number++)
      expect(keys).toContain(walKey(segment(number), PLAIN));
  }
  expect(backups.map(({ record }) => record.id)).toContain(idOf(2));
}
