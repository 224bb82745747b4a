// How does WAL get out of this node? Every file once at a time, into every repository, a few ahead of what is asked for.
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { asAppError } from "../model/error.ts";
import type { Ms } from "../model/time.ts";
import { parseHistory } from "../model/timeline.ts";
import { parseWalName, segmentNumber } from "../model/wal-name.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import { PackedOnce } from "./packed-once.ts";
import { readWalFile, type WalFile } from "./wal-file.ts";
import type { WalStore } from "./wal-store.ts";

export interface Shelf {
  readonly store: WalStore;
  /** PostgreSQL hears no yes before the file is here; else it is only told of when it fails. */
  readonly required: boolean;
}

export type Archived =
  | { readonly kind: "yes" }
  /** Another content has this name in a repository. */
  | { readonly kind: "conflict"; readonly why: string }
  | { readonly kind: "no"; readonly why: string };

export interface LaneOptions {
  readonly dataDir: string;
  readonly systemId: string;
  readonly segmentSize: number;
  readonly shelves: readonly Shelf[];
  readonly clock: Clock;
  readonly log: Log;
}

interface Put {
  readonly file: WalFile;
  readonly packed: PackedOnce;
  readonly signal: AbortSignal;
}

/** How many files are on their way at once: enough to keep two cores and a distant store busy. */
const AHEAD = 4;
/** One file; a store that takes longer has failed. */
const PUT_LIMIT_MS: Ms = 60_000;
/** A standby leaves a file to its primary for so long, and then stores it itself. */
const PRIMARY_FIRST_MS: Ms = 3_000;
const POLL_MS: Ms = 250;
const MOST_REMEMBERED = 512;

export class Lane {
  readonly #o: LaneOptions;
  readonly #underWay = new Map<string, Promise<Archived>>();
  /** Which content of a name is known to be everywhere: a name may come again with another one. */
  readonly #done = new Map<string, string>();

  constructor(options: LaneOptions) {
    this.#o = options;
  }

  /**
   * Is this file of pg_wal durable outside the node, in every repository that is required? Pushes it if it is not, and
   * begins with those that will be asked for next. "no" after `waitMs` means only: not yet.
   */
  async archive(name: string, waitMs: Ms): Promise<Archived> {
    if (parseWalName(name)?.kind === "backup-label") return { kind: "yes" };
    const answer = this.#push(name, join(this.#o.dataDir, "pg_wal", name));
    void this.#lookAhead(name).catch(() => undefined);
    using limit = this.#o.clock.deadline(waitMs);
    const late = new Promise<Archived>((resolve) => {
      const give = (): void => resolve({ kind: "no", why: "it is still on its way" });
      limit.signal.addEventListener("abort", give, { once: true });
    });
    return await Promise.race([answer, late]);
  }

  /** The same for a file that a repository lacks, whatever is remembered of it, or that lies elsewhere. */
  push(name: string, path: string): Promise<Archived> {
    this.#done.delete(name);
    return this.#push(name, path);
  }

  #push(name: string, path: string): Promise<Archived> {
    const running = this.#underWay.get(name);
    if (running !== undefined) return running;
    const mine = this.#store(name, path)
      .catch((error: unknown): Archived => ({ kind: "no", why: whyOf(error, name) }))
      .finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, mine);
    return mine;
  }

  async #store(name: string, path: string): Promise<Archived> {
    const stamp = await stampOf(path);
    if (this.#done.get(name) === stamp) return { kind: "yes" };
    if (await endedInside(name, this.#o)) return { kind: "yes" };
    const file = await readWalFile(name, path, this.#o);
    // An empty history file only marks a number as taken (see adapters/postgres/history.ts): there is nothing to lose.
    if (file.sizeBytes === 0) return { kind: "yes" };
    if (await this.#isStandby()) await this.#awaitPrimary(file);
    using limit = this.#o.clock.deadline(PUT_LIMIT_MS);
    const packed = new PackedOnce(file, limit.signal);
    const outcomes = await Promise.all(
      this.#o.shelves.map(async (shelf) => ({
        shelf,
        outcome: await this.#put(shelf, { file, packed, signal: limit.signal }),
      })),
    );
    const needed = outcomes.filter(({ shelf, outcome }) => {
      return shelf.required || outcome.kind === "conflict";
    });
    const bad = needed.find(({ outcome }) => outcome.kind !== "yes");
    if (bad !== undefined) return bad.outcome;
    this.#remember(name, stamp);
    return { kind: "yes" };
  }

  async #put({ store }: Shelf, { file, packed, signal }: Put): Promise<Archived> {
    try {
      const stored = await store.store(file, signal, packed);
      if (stored.kind !== "conflict") return { kind: "yes" };
      const why = `two histories claim ${file.name} in ${store.repo.name}: ${stored.why}`;
      this.#o.log.error("a WAL file with other content is already archived", { why });
      return { kind: "conflict", why };
    } catch (error) {
      return { kind: "no", why: `${store.repo.name}: ${whyOf(error, file.name)}` };
    }
  }

  /** Standbys have the same WAL: there is no need for each of them to send it. */
  async #awaitPrimary(file: WalFile): Promise<void> {
    const { clock, shelves } = this.#o;
    using limit = clock.deadline(PRIMARY_FIRST_MS);
    const isThere = async ({ store }: Shelf): Promise<boolean> =>
      (await store.find(file.name, limit.signal)) !== undefined;
    try {
      while (!(await Promise.all(shelves.map(isThere))).every(Boolean))
        await clock.sleep(POLL_MS, limit.signal);
    } catch {
      // Its time is over, or a repository is in trouble: the file is stored from here.
    }
  }

  #isStandby(): Promise<boolean> {
    return stat(join(this.#o.dataDir, "standby.signal")).then(
      () => true,
      () => false,
    );
  }

  /** What PostgreSQL will ask for next is pushed before it asks. */
  async #lookAhead(name: string): Promise<void> {
    const waiting = await waitingFiles(this.#o.dataDir);
    for (const next of waiting.filter((other) => other > name)) {
      if (this.#underWay.size >= AHEAD) return;
      if (parseWalName(next)?.kind !== "segment") continue;
      void this.#push(next, join(this.#o.dataDir, "pg_wal", next));
    }
  }

  #remember(name: string, stamp: string): void {
    this.#done.set(name, stamp);
    const oldest = this.#done.keys().next().value;
    if (this.#done.size > MOST_REMEMBERED && oldest !== undefined) this.#done.delete(oldest);
  }
}

/** Files of pg_wal that PostgreSQL holds for the archive, in their order. */
export async function waitingFiles(dataDir: string): Promise<readonly string[]> {
  const names = await readdir(join(dataDir, "pg_wal", "archive_status"));
  return names
    .filter((name) => name.endsWith(".ready"))
    .map((name) => name.slice(0, -".ready".length))
    .toSorted();
}

/**
 * Did the timeline end inside this segment, as a history beside it says? A standby that is led over a promotion marks its
 * half of that segment for the archive under the name of a whole one, with whatever lay in the file before behind it. What
 * counts of it is in the first segment of the child, and on the heir in the `.partial` that PostgreSQL makes of it.
 */
async function endedInside(
  name: string,
  { dataDir, segmentSize }: Pick<LaneOptions, "dataDir" | "segmentSize">,
): Promise<boolean> {
  const parsed = parseWalName(name, segmentSize);
  if (parsed?.kind !== "segment") return false;
  const folder = join(dataDir, "pg_wal");
  for (const file of await readdir(folder)) {
    if (!file.endsWith(".history")) continue;
    const ended = parseHistory(await readFile(join(folder, file), "utf8")).some(
      ({ timeline, endLsn }) =>
        timeline === parsed.timeline && segmentNumber(endLsn, segmentSize) === parsed.number,
    );
    if (ended) return true;
  }
  return false;
}

/** Changes with every other content that a file of this name may ever get. */
async function stampOf(path: string): Promise<string> {
  const { ino, size, mtimeMs } = await stat(path);
  return `${ino}:${size}:${mtimeMs}`;
}

const whyOf = (error: unknown, name: string): string => {
  const failure = asAppError(error, "NOT_POSSIBLE", `archiving ${name}`);
  return failure.why === "" ? failure.message : failure.why;
};
