// Is everything in the archives that the server's manifest names, byte for byte?
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { Ending } from "../adapters/system/ending.ts";
import type { BackupManifest } from "../model/backup-manifest.ts";
import { AppError } from "../model/error.ts";
import { createTarReader, type TarEntry, type TarReader } from "../model/wire/tar.ts";
import type { Bytes } from "./bytes.ts";
import type { Summing } from "./summing.ts";

interface SeenFile {
  readonly sizeBytes: number;
  readonly sum: string;
}

/** Segments are not in the manifest: WAL has checksums of its own. */
export const isWalPath = (path: string): boolean => path.startsWith("pg_wal/");

/** Gathers what went by in one or several archives, and compares it with a manifest at the end. */
export class ArchiveCheck {
  readonly #summing: Summing;
  readonly #seen = new Map<string, SeenFile>();
  #bytes = 0;

  constructor(summing: Summing) {
    this.#summing = summing;
  }

  has(path: string): boolean {
    return this.#seen.has(path);
  }

  /** Of all files, as they will lie on a disk. */
  get dataBytes(): number {
    return this.#bytes;
  }

  /** Reads one archive; `folder` is where its names begin in the manifest. */
  reader(folder: string): TarReader {
    const summing = this.#summing;
    let entry: TarEntry | undefined;
    return createTarReader({
      begin: (begun) => {
        entry = begun;
        summing.begin();
      },
      data: (bytes) => summing.add(bytes),
      end: () => {
        if (entry?.kind !== "file") return;
        this.#bytes += entry.sizeBytes;
        this.#seen.set(folder + entry.path, { sizeBytes: entry.sizeBytes, sum: summing.end() });
      },
    });
  }

  /** Throws REPO_DAMAGED at the first file that is missing, other than it should be, or not in the manifest. */
  compare({ files, summedBy }: BackupManifest, attempt: string): void {
    const fail = (why: string): never => {
      throw new AppError("REPO_DAMAGED", attempt, why);
    };
    if (summedBy !== this.#summing.by) return fail(`the manifest has sums of ${summedBy}`);
    for (const { path, sizeBytes, sum } of files.values()) {
      const seen = this.#seen.get(path);
      if (seen === undefined) return fail(`${path} is missing in the archive`);
      if (seen.sizeBytes !== sizeBytes)
        return fail(`${path} has another size than the manifest says`);
      if (seen.sum !== sum) return fail(`${path} has other bytes than the manifest says`);
    }
    for (const path of this.#seen.keys()) {
      if (!files.has(path) && !isWalPath(path))
        return fail(`${path} is in the archive and not in the manifest`);
    }
  }
}

/** Reads a whole archive into the reader. */
export async function readArchive(content: Bytes, reader: TarReader): Promise<void> {
  for await (const bytes of content) reader.push(bytes);
  reader.finish();
}

/**
 * The same bytes for two readers: yields them on, and gives a copy to `watch`. A failure of the watcher is thrown to the
 * reader of the stream, so that what did not pass is not stored.
 */
export async function* watched(content: Bytes, watch: (copy: Bytes) => Promise<void>): Bytes {
  const copy = new PassThrough({ highWaterMark: 4 * 1024 * 1024 });
  const ending = new Ending();
  copy.once("close", () => ending.end(undefined));
  let failure: { readonly error: unknown } | undefined;
  const watching = watch(copy).catch((error: unknown) => {
    failure = { error };
    copy.destroy();
  });
  try {
    for await (const bytes of content) {
      if (!copy.destroyed && !copy.write(bytes))
        await ending.before(once(copy, "drain")).catch(() => undefined);
      yield bytes;
    }
    copy.end();
    await watching;
    if (failure !== undefined) throw failure.error;
  } finally {
    copy.destroy();
  }
}
