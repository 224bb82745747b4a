// For how long could nothing be written? A probe of a game day's own, while it lasts and no longer.
import { after, between, type Instant, type Ms } from "../../model/time.ts";
import type { Clock } from "../../ports/clock.ts";

/** What the probe has seen so far; spans are by a clock that nobody sets. */
export interface ProbeFigures {
  readonly runs: boolean;
  readonly writes: number;
  readonly failures: number;
  /** Since the last answer; a pause that goes on is one as well. */
  readonly sinceMs: Ms;
  /** The longest time between the answers to two writes, or until now, and the position of the one before it. */
  readonly longestPauseMs: Ms;
  readonly before?: string;
  /** Why the last write that failed did. */
  readonly why?: string;
}

/** Writes to whoever is the primary. */
export interface Writer {
  /** Answers the position of a write that is committed. Throws within `limitMs`. */
  write(limitMs: Ms): Promise<string>;
  close(): void;
}

const EVERY_MS: Ms = 100;
/** For all addresses together: each has its part of it, and commits may wait for a standby. */
const WRITE_LIMIT_MS: Ms = 3_000;

/** Writes ten times a second until the time is up or `signal` ends it; then it has left nothing behind. */
export class GameDayProbe {
  #figures: Omit<ProbeFigures, "sinceMs"> = {
    ...{ runs: true, writes: 0, failures: 0 },
    longestPauseMs: 0,
  };
  #last: { readonly at: Instant; readonly position: string } | undefined;
  #stoppedAt: Instant | undefined;
  readonly #prober: Writer;
  readonly #clock: Clock;
  readonly #stopping = new AbortController();

  constructor(prober: Writer, clock: Clock) {
    this.#prober = prober;
    this.#clock = clock;
  }

  figures(): ProbeFigures {
    const last = this.#last;
    const until = this.#stoppedAt ?? this.#clock.now();
    const sinceMs = last === undefined ? 0 : Math.round(between(last.at, until));
    const figures = { ...this.#figures, sinceMs };
    if (last === undefined || sinceMs <= figures.longestPauseMs) return figures;
    return { ...figures, longestPauseMs: sinceMs, before: last.position };
  }

  /** From then on nothing was measured: no pause grows any more. */
  stop(): void {
    this.#stoppedAt ??= this.#clock.now();
    this.#stopping.abort();
    this.#prober.close();
    this.#figures = { ...this.#figures, runs: false };
  }

  async run(forMs: Ms): Promise<void> {
    const clock = this.#clock;
    const { signal } = this.#stopping;
    const end = after(clock.now(), forMs);
    while (!signal.aborted && clock.now() < end) {
      try {
        const position = await this.#prober.write(WRITE_LIMIT_MS);
        this.#answered(position, clock.now());
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        if (!signal.aborted)
          this.#figures = { ...this.#figures, failures: this.#figures.failures + 1, why };
      }
      await clock.sleep(EVERY_MS, signal).catch(() => undefined);
    }
    this.stop();
  }

  #answered(position: string, at: Instant): void {
    const { sinceMs: _, ...figures } = this.figures();
    this.#figures = { ...figures, writes: figures.writes + 1 };
    this.#last = { at, position };
  }
}
