// What WAL lies in the repository, and how does it get into a restored directory?
//
// It is laid into `pg_wal` before recovery begins: recovery then asks nobody for anything, at the speed of a local disk,
// and an archive that is slow or away cannot be taken for its end.
import { chown, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../model/error.ts";
import { walFileOf } from "../model/repo-keys.ts";
import { type HistoryLine, parseHistory } from "../model/timeline.ts";
import { parseWalName } from "../model/wal-name.ts";
import { segmentsIn, type WalWindow } from "../model/wal-window.ts";
import type { Archive } from "./archive.ts";
import { naming, textOf } from "./bytes.ts";
import { type BackupProgress, createPulse } from "./progress.ts";
import type { FileOwner } from "./restore-files.ts";
import { layTail } from "./restore-tail.ts";
import type { Shelf } from "./shelf.ts";

const AT_ONCE = 4;

/** Every whole file that was archived, as far as names tell; the histories are read. */
export async function readArchiveOf(
  shelf: Pick<Shelf, "repo" | "unpack">,
  segmentSize: number,
  signal: AbortSignal,
): Promise<Archive> {
  const keys = new Map<string, string>();
  const storedAtMs = new Map<string, number>();
  const histories = new Map<number, readonly HistoryLine[]>();
  for (const object of await shelf.repo.list("wal/", signal)) {
    const name = walFileOf(object.key);
    if (name === undefined) continue;
    keys.set(name, object.key);
    storedAtMs.set(name, object.storedAtMs);
    const parsed = parseWalName(name, segmentSize);
    if (parsed?.kind !== "history") continue;
    const stored = await shelf.repo.get(object.key, signal);
    const text = await textOf(shelf.unpack(object.key, stored));
    histories.set(parsed.timeline, parseHistory(text));
  }
  const segments = segmentsIn(keys.keys(), segmentSize);
  return { segmentSize, segments, partials: [], histories, keys, storedAtMs };
}

export interface WalFetch {
  readonly shelf: Shelf;
  readonly archive: Archive;
  readonly window: WalWindow;
  /** The restored data directory. */
  readonly directory: string;
  readonly id: string;
  readonly owner: FileOwner | undefined;
  readonly onProgress: (progress: BackupProgress) => void;
  readonly signal: AbortSignal;
}

/** Lays every file of the window into `pg_wal`, over what the backup itself had of it: that may be half a segment. */
export async function fetchWal(fetching: WalFetch): Promise<void> {
  const { window, archive, id, onProgress } = fetching;
  const pulse = createPulse(onProgress);
  // All histories: a promotion takes the first number that none of them bears.
  const histories = [...archive.keys.keys()].filter((name) => name.endsWith(".history"));
  const waiting = [...histories, ...window.segments];
  const totalBytes = window.segments.length * archive.segmentSize;
  let doneBytes = 0;
  const lane = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      await fetchOne(fetching, name);
      if (isSegment(name)) doneBytes += archive.segmentSize;
      pulse({ id, phase: "fetching WAL", doneBytes, totalBytes });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  if (window.tail !== undefined) await fetchTail(fetching, window.tail);
}

/** In pieces, or whole when it has become so since the plan was made. */
async function fetchTail(fetching: WalFetch, segment: string): Promise<void> {
  const { shelf, archive, directory, owner, signal } = fetching;
  const { segmentSize } = archive;
  const folder = join(directory, "pg_wal");
  if (await layTail({ shelf, segment, segmentSize, folder, owner, signal })) return;
  const found = await shelf.repo.list(`wal/${segment.slice(0, 8)}/${segment}`, signal);
  const keys = new Map(found.map(({ key }) => [segment, key]));
  await fetchOne({ ...fetching, archive: { ...archive, keys } }, segment);
}

const isSegment = (name: string): boolean => !name.endsWith(".history");

async function fetchOne(fetching: WalFetch, name: string): Promise<void> {
  const { shelf, archive, directory, owner } = fetching;
  const key = archive.keys.get(name);
  const attempt = `fetching ${name} from the repository ${shelf.repo.name}`;
  if (key === undefined) throw new AppError("REPO_MISSING", attempt, "it is not in the archive");
  const path = join(directory, "pg_wal", name);
  const draft = `${path}.fetched`;
  await naming(name, () => shelf.layDown(key, draft));
  const { size } = await stat(draft);
  if (isSegment(name) && size !== archive.segmentSize) {
    throw new AppError("REPO_DAMAGED", attempt, `it has ${size} bytes`);
  }
  if (owner !== undefined) await chown(draft, owner.uid, owner.gid);
  await rename(draft, path);
}
