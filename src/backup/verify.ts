// Can this backup still be read, and is it what the server sent? Every byte is read back from the repository.
import type { BackupObject, BackupRecord } from "../model/backup-record.ts";
import { baseKey, unpacked } from "../model/repo-keys.ts";
import { type Verification, verificationKey } from "../model/verification.ts";
import type { Repo } from "../ports/repo.ts";
import { ArchiveCheck, readArchive } from "./archive-check.ts";
import { asStored, type Bytes, bytesOf, damageIn, textOf } from "./bytes.ts";
import { inUse } from "./in-use.ts";
import { manifestIn } from "./manifest.ts";
import { type BackupProgress, createPulse } from "./progress.ts";
import type { Shelf } from "./shelf.ts";
import { createSumming } from "./summing.ts";

export interface VerifyOptions {
  readonly shelf: Shelf;
  readonly record: BackupRecord;
  readonly onProgress: (progress: BackupProgress) => void;
  readonly signal: AbortSignal;
}

export interface Verdict extends Verification {
  /** What is wrong, for people; undefined when all is well. */
  readonly why: string | undefined;
}

/**
 * Reads every object, compares it with what was stored, and unpacked with the manifest as far as a key is at hand. The
 * verdict is kept in the repository, if it is ours. A repository that does not answer is no verdict: that is thrown.
 */
export async function verifyBackup(options: VerifyOptions): Promise<Verdict> {
  const { shelf, record, signal } = options;
  await shelf.claim();
  const use = { repo: shelf.repo, kind: "base", id: record.id, what: "verifying" } as const;
  return inUse(use, signal, () => readBack(options));
}

async function readBack(options: VerifyOptions): Promise<Verdict> {
  const { shelf, record, signal } = options;
  const isSecret = unpacked(record.data.file).packing.encrypted;
  const depth = isSecret && !shelf.canRead ? "stored" : "content";
  let why: string | undefined;
  try {
    await (depth === "content" ? compareContent(options) : compareStored(options));
  } catch (error) {
    why = damageIn(error, `verifying ${record.id}`, signal).message;
  }
  const outcome = why === undefined ? "passed" : "failed";
  const verdict: Verdict = { atMs: Date.now(), depth, outcome, why };
  await keepVerdict(shelf.repo, { id: record.id, ...verdict }, signal);
  return verdict;
}

/** What was found when a backup was read back, as an object of the repository. */
export async function keepVerdict(
  repo: Repo,
  { id, ...verdict }: Verdict & { readonly id: string },
  signal: AbortSignal,
): Promise<void> {
  const proof = { format: 1, kind: "verify", backup: id, ...verdict };
  const text = `${JSON.stringify(proof, undefined, 2)}\n`;
  await repo.put(verificationKey(id, verdict), bytesOf(text), {}, signal);
}

async function compareContent(options: VerifyOptions): Promise<void> {
  const { record, shelf } = options;
  const attempt = `verifying ${record.id}`;
  const read = createReader(options);
  const manifest = manifestIn(
    await textOf(shelf.unpack(record.manifest.file, await read(record.manifest))),
    attempt,
  );
  const check = new ArchiveCheck(await createSumming(manifest.summedBy));
  await readArchive(shelf.unpack(record.data.file, await read(record.data)), check.reader(""));
  for (const space of record.tablespaces) {
    const content = shelf.unpack(space.file, await read(space));
    await readArchive(content, check.reader(`pg_tblspc/${space.oid}/`));
  }
  check.compare(manifest, attempt);
}

async function compareStored(options: VerifyOptions): Promise<void> {
  const { record } = options;
  const read = createReader(options);
  for (const object of [record.manifest, record.data, ...record.tablespaces]) {
    for await (const _ of await read(object)) continue;
  }
}

/** Opens an object as it is stored, and tells how far the reading is. */
function createReader({ shelf, record, onProgress, signal }: VerifyOptions) {
  const pulse = createPulse(onProgress);
  const objects = [record.manifest, record.data, ...record.tablespaces];
  const totalBytes = objects.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
  let doneBytes = 0;
  const count = async function* (content: Bytes): Bytes {
    for await (const bytes of content) {
      doneBytes += bytes.length;
      pulse({ id: record.id, phase: "reading", doneBytes, totalBytes });
      yield bytes;
    }
  };
  return async (object: BackupObject): Promise<Bytes> => {
    const stored = await shelf.repo.get(baseKey(record.id, object.file), signal);
    return count(asStored(stored, object));
  };
}
