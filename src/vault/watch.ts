// The standing look at one repository: is there a hole, since when, and can this node fill it?
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { newestTimeline } from "../adapters/postgres/wal-files.ts";
import type { Coverage, Gap } from "../model/coverage.ts";
import { asAppError } from "../model/error.ts";
import { between, type Instant, type Ms } from "../model/time.ts";
import { type HistoryLine, historyFileName, parseHistory } from "../model/timeline.ts";
import { gapInWords, type ShelfState } from "../model/vault-state.ts";
import { parseWalName, printSegment, segmentStart } from "../model/wal-name.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { Lane, Shelf } from "./lane.ts";
import type { Survey } from "./survey.ts";

export interface WatchOptions {
  readonly shelf: Shelf;
  readonly survey: Survey;
  readonly lane: Lane;
  readonly dataDir: string;
  readonly segmentSize: number;
  readonly clock: Clock;
  readonly log: Log;
}

const LOOK_LIMIT_MS: Ms = 120_000;
/** So many segments are filled at one look; the next one goes on. */
const MOST_FILLED = 64;

export class Watch {
  readonly #o: WatchOptions;
  #coverage: Coverage | undefined;
  #lookedAt: Instant | undefined;
  #trouble: string | undefined;
  /** Gaps of the look before: what a promotion leaves open for a moment is no hole yet. */
  #suspected: ReadonlySet<string> = new Set();
  #confirmed = new Map<string, Gap>();

  constructor(options: WatchOptions) {
    this.#o = options;
  }

  state(now: Instant): ShelfState {
    const { shelf, survey } = this.#o;
    return {
      name: shelf.store.repo.name,
      required: shelf.required,
      trouble: this.#trouble,
      coverage: this.#coverage && { ...this.#coverage, gaps: [...this.#confirmed.values()] },
      base: survey.base(),
      ageMs: this.#lookedAt === undefined ? undefined : between(this.#lookedAt, now),
    };
  }

  /** Looks once, says what is new, and fills what this node can. Never throws. */
  async look(): Promise<void> {
    const { clock, survey, log, shelf } = this.#o;
    using limit = clock.deadline(LOOK_LIMIT_MS);
    try {
      const coverage = await survey.look(limit.signal);
      this.#coverage = coverage;
      this.#lookedAt = clock.now();
      this.#trouble = undefined;
      this.#judge(coverage.gaps);
      await this.#fill(coverage.gaps);
    } catch (error) {
      const failure = asAppError(error, "REPO_UNREACHABLE", "looking at the repository");
      const isNew = this.#trouble === undefined;
      this.#trouble = failure.why === "" ? failure.message : failure.why;
      if (isNew)
        log.warn("a repository cannot be looked at", { repository: shelf.store.repo.name, error });
    }
  }

  #judge(gaps: readonly Gap[]): void {
    const { log, shelf, segmentSize } = this.#o;
    const confirmed = new Map<string, Gap>();
    for (const gap of gaps) {
      const id = JSON.stringify([gap.timeline, gap.last, gap.cause.kind]);
      if (!this.#suspected.has(id)) continue;
      confirmed.set(id, gap);
      if (!this.#confirmed.has(id))
        log.error("the WAL archive has a hole", {
          why: gapInWords(shelf.store.repo.name, gap, segmentSize),
        });
    }
    for (const [id, gap] of this.#confirmed)
      if (!confirmed.has(id))
        log.info("a hole in the WAL archive is closed", {
          repository: shelf.store.repo.name,
          timeline: gap.timeline,
        });
    this.#confirmed = confirmed;
    this.#suspected = new Set(
      gaps.map((gap) => JSON.stringify([gap.timeline, gap.last, gap.cause.kind])),
    );
  }

  /** What the repository lacks and this node's pg_wal has whole goes there, whoever should have sent it. */
  async #fill(gaps: readonly Gap[]): Promise<void> {
    const { segmentSize, lane, dataDir, log } = this.#o;
    const names = gaps.flatMap(({ timeline, first, last, cause }) =>
      cause.kind === "history"
        ? [historyFileName(timeline)]
        : numbersFrom(first, Math.min(last, first + MOST_FILLED - 1)).map((number) =>
            printSegment({ timeline, number }, segmentSize),
          ),
    );
    if (names.length === 0) return;
    const ended = await endedTimelines(dataDir);
    for (const name of names.slice(0, MOST_FILLED)) {
      if (!(await isThere(join(dataDir, "pg_wal", name)))) continue;
      if (!(isOver(name, ended, segmentSize) || (await isMarked(dataDir, name)))) continue;
      const outcome = await lane.push(name, join(dataDir, "pg_wal", name));
      if (outcome.kind === "yes")
        log.info("a hole in the WAL archive was filled from here", { name });
      else log.warn("a file that the archive lacks could not be sent", { name, why: outcome.why });
    }
  }
}

const numbersFrom = (first: number, last: number): readonly number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);

/** PostgreSQL marks a file as done or ready only when it will never be written again. */
async function isMarked(dataDir: string, name: string): Promise<boolean> {
  const status = join(dataDir, "pg_wal", "archive_status", name);
  const marks = await Promise.all([`${status}.done`, `${status}.ready`].map(isThere));
  return marks.includes(true);
}

/**
 * Where the timelines before its own ended, on a server that was promoted; nothing on a standby, which may not have come
 * so far. A stream that breaks off just where a segment ends leaves that one without a mark, and PostgreSQL gives it one
 * only at a checkpoint after it is needed no more: until then the dead primary's host alone would send it.
 */
async function endedTimelines(dataDir: string): Promise<readonly HistoryLine[]> {
  if (await isThere(join(dataDir, "standby.signal"))) return [];
  const history = historyFileName(await newestTimeline(dataDir));
  return parseHistory(await readFile(join(dataDir, "pg_wal", history), "utf8").catch(() => ""));
}

/** Whether this segment's timeline ended behind it: all of it was replayed before the promotion. */
function isOver(name: string, ended: readonly HistoryLine[], segmentSize: number): boolean {
  const parsed = parseWalName(name, segmentSize);
  if (parsed?.kind !== "segment") return false;
  const end = segmentStart(parsed.number + 1, segmentSize);
  return ended.some(({ timeline, endLsn }) => timeline === parsed.timeline && endLsn >= end);
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
