// Has anything changed since these files were read? Many small ones are cheaper to look at than to read.
import { stat } from "node:fs/promises";
import type { Ms } from "../../model/time.ts";

/** The clock of a file system has ticks: only after this long is another change sure to show another time. */
const SETTLED_MS: Ms = 2_000;

interface Kept<T> {
  readonly stamps: string;
  readonly basis: readonly unknown[];
  readonly value: T;
}

export interface ReadingOptions<T> {
  /** Everything that `read` looks at; a directory stands for the names in it, not for what they hold. */
  readonly paths: readonly string[];
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
    const { paths, wallMs, isKept } = this.#options;
    // Before the reading: what changes during it shows at the next look.
    const { stamps, newestMs } = await stampsOf(paths);
    const isSettled = wallMs() - newestMs >= SETTLED_MS;
    const kept = this.#kept;
    const isSame = kept?.stamps === stamps && basis.every((one, at) => one === kept.basis[at]);
    if (kept !== undefined && isSame) return kept.value;
    this.#kept = undefined;
    const value = await read();
    if (isSettled && isKept(value)) this.#kept = { stamps, basis, value };
    return value;
  }
}

interface Stamps {
  readonly stamps: string;
  readonly newestMs: number;
}

/** Inode, size and times; a file that is not there has none. */
async function stampsOf(paths: readonly string[]): Promise<Stamps> {
  const seen = await Promise.all(paths.map((path) => stat(path).catch(isAbsent)));
  const stamps = seen.map(
    (one) => one && `${one.dev}.${one.ino}.${one.size}.${one.mtimeMs}.${one.ctimeMs}`,
  );
  return {
    stamps: stamps.join(),
    newestMs: Math.max(0, ...seen.map((one) => one?.ctimeMs ?? 0)),
  };
}

function isAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
  throw error;
}
