// How do the archives of a backup become files again? Written as they come, and judged before they count.
//
// Names come from an archive, so they are believed only as far as the manifest has them too. A file that an interrupted
// run has left whole is not written again.
import {
  chownSync,
  closeSync,
  existsSync,
  fchownSync,
  mkdirSync,
  openSync,
  readSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type BackupManifest, isSafePath, type ManifestFile } from "../model/backup-manifest.ts";
import { AppError } from "../model/error.ts";
import { createTarReader, type TarEntry, type TarReader } from "../model/wire/tar.ts";
import { isWalPath } from "./archive-check.ts";
import type { Summing } from "./summing.ts";

export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

export interface RestoreFiles {
  readonly manifest: BackupManifest;
  /** By what the manifest sums up. */
  readonly summing: Summing;
  /** Undefined: whoever we are. */
  readonly owner: FileOwner | undefined;
  readonly attempt: string;
}

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** Writes archives into directories and remembers what was written whole. */
export class FileWriter {
  readonly #files: RestoreFiles;
  readonly #whole = new Set<string>();
  readonly #folders = new Set<string>();
  #doneBytes = 0;

  constructor(files: RestoreFiles) {
    this.#files = files;
  }

  /** Bytes of files that went by, written or found whole. */
  get doneBytes(): number {
    return this.#doneBytes;
  }

  /** For one archive: its files go below `directory`; in the manifest their names begin with `folder`. */
  reader(directory: string, folder: string): TarReader {
    let open: OpenFile | undefined;
    return createTarReader({
      begin: (entry) => {
        open = this.#begin(entry, directory, folder);
      },
      data: (bytes) => {
        this.#doneBytes += bytes.length;
        open?.write(bytes);
      },
      end: () => {
        if (open === undefined) return;
        open.close();
        this.#whole.add(open.path);
        open = undefined;
      },
    });
  }

  /** Throws REPO_DAMAGED when the manifest names a file that has not come. */
  requireAll(): void {
    for (const path of this.#files.manifest.files.keys()) {
      if (!this.#whole.has(path)) this.#fail(`${path} is missing in the archive`);
    }
  }

  #begin(entry: TarEntry, directory: string, folder: string): OpenFile | undefined {
    if (!isSafePath(entry.path)) return this.#fail(`the archive names "${entry.path}"`);
    const target = join(directory, entry.path);
    if (entry.kind === "directory") {
      this.#makeFolder(target);
      return undefined;
    }
    // Links to tablespaces are made by PostgreSQL itself, from its tablespace_map.
    if (entry.kind === "link") return undefined;
    const path = folder + entry.path;
    const wanted = this.#files.manifest.files.get(path);
    if (wanted === undefined && !isWalPath(path)) {
      return this.#fail(`${path} is in the archive and not in the manifest`);
    }
    if (wanted !== undefined && wanted.sizeBytes !== entry.sizeBytes) {
      return this.#fail(`${path} has another size than the manifest says`);
    }
    this.#makeFolder(dirname(target));
    if (wanted !== undefined && isWhole(target, wanted, this.#files.summing))
      return { path, ...NOTHING_TO_DO };
    return openFile({ path, target, wanted, ...this.#files });
  }

  #makeFolder(path: string): void {
    if (this.#folders.has(path)) return;
    if (!existsSync(path)) {
      this.#makeFolder(dirname(path));
      mkdirSync(path, { mode: FOLDER_MODE });
      const { owner } = this.#files;
      if (owner !== undefined) chownSync(path, owner.uid, owner.gid);
    }
    this.#folders.add(path);
  }

  #fail(why: string): never {
    throw new AppError("REPO_DAMAGED", this.#files.attempt, why);
  }
}

interface OpenFile {
  readonly path: string;
  write(bytes: Uint8Array): void;
  close(): void;
}

const NOTHING_TO_DO = { write: () => undefined, close: () => undefined };

interface NewFile extends RestoreFiles {
  readonly path: string;
  readonly target: string;
  /** WAL has checksums of its own, and is in no manifest. */
  readonly wanted: ManifestFile | undefined;
}

function openFile({ path, target, wanted, summing, owner, attempt }: NewFile): OpenFile {
  const file = openSync(target, "w", FILE_MODE);
  if (owner !== undefined) fchownSync(file, owner.uid, owner.gid);
  summing.begin();
  return {
    path,
    write(bytes) {
      if (wanted !== undefined) summing.add(bytes);
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    },
    close() {
      closeSync(file);
      if (wanted === undefined || summing.end() === wanted.sum) return;
      throw new AppError("REPO_DAMAGED", attempt, `${path} has other bytes than the manifest says`);
    },
  };
}

/** Left by an interrupted run, with the very bytes that shall be there. */
function isWhole(target: string, { sizeBytes, sum }: ManifestFile, summing: Summing): boolean {
  const found = statSync(target, { throwIfNoEntry: false });
  if (found === undefined || !found.isFile() || found.size !== sizeBytes) return false;
  summing.begin();
  const buffer = Buffer.allocUnsafe(256 * 1024);
  const file = openSync(target, "r");
  try {
    for (;;) {
      const count = readSync(file, buffer);
      if (count === 0) return summing.end() === sum;
      summing.add(buffer.subarray(0, count));
    }
  } finally {
    closeSync(file);
  }
}
