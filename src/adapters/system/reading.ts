// Has anything changed since these files were read? Many small ones are cheaper to look at than to read.
import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import type { Ms } from "../../model/time.ts";

/** The clock of a file system has ticks: only after this long is another change sure to show another time. */
const SETTLED_MS: Ms = 2_000;

interface Kept<T> {
  readonly stamps: string;
  /** The folders, and of the files those that were there. */
  readonly paths: readonly string[];
  readonly basis: readonly unknown[];
  readonly value: T;
}

export interface ReadingOptions<T> {
  /** Everything that `read` looks at. A folder stands for the names in it, not for what they hold. */
  readonly files: readonly string[];
  /** Those of all the files among them: a file that comes to be shows in its folder, and is not looked for. */
  readonly folders: readonly string[];
  /** The wall clock, which dates files too. */
  readonly wallMs: () => number;
  /** Whether a value may be answered again; what is not kept is read at every look. */
  readonly isKept: (value: T) => boolean;
}

/** What was read from some files, kept until one of them or what else it came from is another. */
export class Reading<T> {
  readonly #options: ReadingOptions<T>;
  #kept: Kept<T> | undefined;

  constructor(options: ReadingOptions<T>) {
    this.#options = options;
  }

  /** `basis`: values that the reading depends on besides the files. Throws what the system or `read` says. */
  async of(basis: readonly unknown[], read: () => Promise<T>): Promise<T> {
    const { files, folders, wallMs, isKept } = this.#options;
    const kept = this.#kept;
    if (kept !== undefined && basis.every((one, at) => one === kept.basis[at])) {
      const seen = await stampsOf(kept.paths);
      if (seen.stamps === kept.stamps) return kept.value;
    }
    this.#kept = undefined;
    // Before the reading: what changes during it shows at the next look.
    const { paths, stamps, newestMs } = await stampsOf([...folders, ...files]);
    const isSettled = wallMs() - newestMs >= SETTLED_MS;
    const value = await read();
    if (isSettled && isKept(value)) this.#kept = { paths, stamps, basis, value };
    return value;
  }
}

interface Stamps {
  readonly paths: readonly string[];
  readonly stamps: string;
  readonly newestMs: number;
}

/** Inode, size and times; a file that is not there has none. */
async function stampsOf(all: readonly string[]): Promise<Stamps> {
  const found = await Promise.all(
    all.map(async (path) => ({ path, seen: await stat(path).catch(isAbsent) })),
  );
  const there = found.filter(({ seen }) => seen !== undefined);
  return {
    paths: there.map(({ path }) => path),
    stamps: there.map(({ seen }) => seen && stampOf(seen)).join(),
    newestMs: Math.max(0, ...there.map(({ seen }) => seen?.ctimeMs ?? 0)),
  };
}

const stampOf = ({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string =>
  [dev, ino, size, mtimeMs, ctimeMs].join(".");

function isAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
  throw error;
}
