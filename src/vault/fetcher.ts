// How does recovery get its WAL at the speed of replay? What it will ask for next is laid down before it asks.
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError, asAppError } from "../model/error.ts";
import type { Ms } from "../model/time.ts";
import {
  fetchedDir,
  fetchScript,
  fetchSocket,
  renderFetch,
  restoreCommand,
} from "../model/wal-fetch.ts";
import { parseWalName, printSegment, type SegmentId } from "../model/wal-name.ts";
import type { Clock } from "../ports/clock.ts";
import { type DoorAnswer, openDoor } from "./door.ts";
import { assemble } from "./tail-store.ts";
import { lastSegmentOf, type WalStore } from "./wal-store.ts";

export interface FetchOptions {
  /** In the order in which they are asked. */
  readonly stores: readonly WalStore[];
  /** A directory of this recovery alone, on the file system of the data if possible; made when missing. */
  readonly dir: string;
  readonly segmentSize: number;
  readonly clock: Clock;
}

export interface FetchDoor {
  /** The setting for the server that recovers, while this door is open. */
  readonly restoreCommand: string;
  close(): Promise<void>;
}

/** How many segments are laid down ahead of what was asked for, and how many of them at a time. */
const AHEAD = 16;
const AT_ONCE = 4;
const FETCH_LIMIT_MS: Ms = 55_000;

type Fetched = "yes" | "none" | "hole";

/**
 * Opens a socket that a recovering server's `restore_command` asks. The end of the WAL is said only when every repository
 * says that the file is not there and none has a later one; until then the server waits, or ends with an error.
 */
export async function openFetchDoor(options: FetchOptions): Promise<FetchDoor> {
  const { dir } = options;
  // What an earlier life has left may be half of something.
  await rm(fetchedDir(dir), { recursive: true, force: true });
  await mkdir(fetchedDir(dir), { recursive: true, mode: 0o700 });
  const fetcher = new Fetcher(options);
  const door = await openDoor(fetchSocket(dir), (path) => fetcher.answer(path));
  await writeFile(fetchScript(dir), renderFetch(dir), { mode: 0o700 });
  return {
    restoreCommand: restoreCommand(dir),
    async close() {
      await door.close();
      await fetcher.close();
      await rm(fetchedDir(dir), { recursive: true, force: true });
    },
  };
}

/** What is laid down ahead of the requests: the next number, and how far. */
interface Row {
  readonly timeline: number;
  next: number;
  to: number;
}

class Fetcher {
  readonly #o: FetchOptions;
  readonly #underWay = new Map<string, Promise<Fetched>>();
  readonly #ending = new AbortController();
  #row: Row | undefined;
  #ahead = 0;

  constructor(options: FetchOptions) {
    this.#o = options;
  }

  async answer(path: string): Promise<DoorAnswer> {
    const [, name = ""] = path.split("/");
    const parsed = parseWalName(name, this.#o.segmentSize);
    if (parsed === undefined || parsed.kind === "backup-label")
      return { status: 200, body: `none ${name}` };
    try {
      const outcome = await this.#fetch(name);
      if (outcome === "yes" && parsed.kind === "segment") this.#readAhead(parsed);
      return {
        status: 200,
        body: outcome === "hole" ? `hole ${name}: later WAL is there` : `${outcome} ${name}`,
      };
    } catch (error) {
      const { message } = asAppError(error, "REPO_UNREACHABLE", `fetching ${name}`);
      return { status: 503, body: `trouble: ${message}` };
    }
  }

  async close(): Promise<void> {
    this.#ending.abort(new AppError("CANCELLED", "fetching WAL"));
    await Promise.allSettled(this.#underWay.values());
  }

  #fetch(name: string): Promise<Fetched> {
    const running = this.#underWay.get(name);
    if (running !== undefined) return running;
    const mine = this.#layDown(name).finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, mine);
    return mine;
  }

  async #layDown(name: string): Promise<Fetched> {
    const { dir, stores, clock } = this.#o;
    const path = join(fetchedDir(dir), name);
    if (await isThere(path)) return "yes";
    using limit = clock.deadline(FETCH_LIMIT_MS, this.#ending.signal);
    const troubles: unknown[] = [];
    for (const store of stores) {
      try {
        if (!(await store.layDown(name, `${path}.half`, limit.signal))) continue;
        await rename(`${path}.half`, path);
        return "yes";
      } catch (error) {
        troubles.push(error);
      }
    }
    // Silence of one of them is no proof that the file is nowhere.
    if (troubles.length > 0) throw troubles[0];
    if (await this.#isHole(name, limit.signal)) return "hole";
    return (await this.#layDownTail(name, path, limit.signal)) ? "yes" : "none";
  }

  /** Of the last segment there may be a beginning: recovery ends with it as it would on the primary after a crash. */
  async #layDownTail(name: string, path: string, signal: AbortSignal): Promise<boolean> {
    const { stores, segmentSize } = this.#o;
    if (parseWalName(name, segmentSize)?.kind !== "segment") return false;
    for (const store of stores) {
      if (!(await assemble(store, name, { path: `${path}.half`, segmentSize }, signal))) continue;
      await rename(`${path}.half`, path);
      return true;
    }
    return false;
  }

  async #isHole(name: string, signal: AbortSignal): Promise<boolean> {
    const { stores, segmentSize } = this.#o;
    const parsed = parseWalName(name, segmentSize);
    if (parsed?.kind !== "segment") return false;
    for (const { repo } of stores) {
      const last = await lastSegmentOf(repo, parsed.timeline, signal);
      if (last !== undefined && last > name) return true;
    }
    return false;
  }

  /** Recovery asks for one after the other: so many are laid down, or on their way, before it does. */
  #readAhead({ timeline, number }: SegmentId): void {
    const row = this.#row;
    const goesOn =
      row?.timeline === timeline && row.next > number && row.next <= number + AHEAD + 1;
    if (goesOn) row.to = number + AHEAD;
    else this.#row = { timeline, next: number + 1, to: number + AHEAD };
    this.#pump();
  }

  #pump(): void {
    const row = this.#row;
    while (row !== undefined && row.next <= row.to && this.#ahead < AT_ONCE) {
      const number = row.next;
      row.next += 1;
      this.#ahead += 1;
      const name = printSegment({ timeline: row.timeline, number }, this.#o.segmentSize);
      void this.#layDownAhead(row, number, name);
    }
  }

  async #layDownAhead(row: Row, number: number, name: string): Promise<void> {
    const outcome = await this.#fetch(name).catch((): Fetched => "none");
    this.#ahead -= 1;
    // Here it ends for now; the next request looks further.
    if (outcome !== "yes") Object.assign(row, { next: number, to: number - 1 });
    if (!this.#ending.signal.aborted) this.#pump();
  }
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
