// Can the WAL behind a backup still be read, and is it what a server wrote? Every byte is read back from the repository.
import { createHash } from "node:crypto";
import { digestTold } from "../adapters/repo/sealing.ts";
import type { BackupRecord } from "../model/backup-record.ts";
import { type Lsn, lsn } from "../model/lsn.ts";
import { WAL_HEADER_BYTES, whyNotSegment } from "../model/wal-header.ts";
import { windowFrom } from "../model/wal-window.ts";
import { damageIn } from "./bytes.ts";
import { inUse } from "./in-use.ts";
import { type BackupProgress, createPulse } from "./progress.ts";
import { readArchiveOf } from "./restore-wal.ts";
import type { Shelf } from "./shelf.ts";

export interface WalVerdict {
  /** Whole segments, from the one in which the backup begins to the end. */
  readonly segments: number;
  readonly endLsn: Lsn;
  /** A restore that needs one of them goes no further. */
  readonly damaged: readonly { readonly name: string; readonly why: string }[];
}

export interface WalVerifyOptions {
  readonly shelf: Pick<Shelf, "repo" | "unpack">;
  readonly record: BackupRecord;
  readonly onProgress: (progress: BackupProgress) => void;
  readonly signal: AbortSignal;
}

/**
 * Unpacks every segment that leads on from the backup, and compares it with its own first page and with the SHA-256 that its
 * object tells, where it tells one. Throws REPO_KEY_WRONG without the private key of encrypted WAL, and BACKUP_MISSING when the backup is
 * being removed; a repository that does not answer is no verdict either.
 */
export async function verifyWal(options: WalVerifyOptions): Promise<WalVerdict> {
  const { shelf, record, signal } = options;
  const use = { repo: shelf.repo, kind: "base", id: record.id, what: "reading WAL of" } as const;
  // WAL that expires while it is read would be told as damaged.
  return inUse(use, signal, () => readWindow(options));
}

async function readWindow(options: WalVerifyOptions): Promise<WalVerdict> {
  const { shelf, record, onProgress, signal } = options;
  const archive = await readArchiveOf(shelf, record.segmentBytes, signal);
  const window = windowFrom(archive, record, {});
  const names = window?.segments ?? [];
  const pulse = createPulse(onProgress);
  const damaged: { name: string; why: string }[] = [];
  for (const [index, name] of names.entries()) {
    const why = await whyDamaged(name, archive.keys.get(name) ?? "", options);
    if (why !== undefined) damaged.push({ name, why });
    const doneBytes = (index + 1) * record.segmentBytes;
    const totalBytes = names.length * record.segmentBytes;
    pulse({ id: record.id, phase: "reading WAL", doneBytes, totalBytes });
  }
  return { segments: names.length, endLsn: window?.endLsn ?? lsn(0), damaged };
}

async function whyDamaged(
  name: string,
  key: string,
  { shelf, record, signal }: WalVerifyOptions,
): Promise<string | undefined> {
  const { repo } = shelf;
  try {
    const hash = createHash("sha256");
    let header: Buffer = Buffer.alloc(0);
    let sizeBytes = 0;
    for await (const bytes of shelf.unpack(key, await repo.get(key, signal))) {
      if (header.length < WAL_HEADER_BYTES) header = Buffer.concat([header, bytes]);
      hash.update(bytes);
      sizeBytes += bytes.length;
    }
    const told = await digestTold(repo, key, signal);
    if (told !== undefined && told !== hash.digest("hex"))
      return "its content has another SHA-256 than its object tells";
    return whyNotSegment(header, { name, sizeBytes, systemId: record.systemId });
  } catch (error) {
    const { why, message } = damageIn(error, `reading ${name}`, signal);
    return why === "" ? message : why;
  }
}
