// For how long could nothing be written? A probe of a game day's own, while it lasts and no longer.
import type { MessageProber } from "../../adapters/postgres/message-prober.ts";
import { after, type Ms } from "../../model/time.ts";
import type { Clock } from "../../ports/clock.ts";

/** What the probe has seen so far; spans are by a clock that nobody sets. */
export interface ProbeFigures {
  readonly runs: boolean;
  readonly writes: number;
  readonly failures: number;
  /** The longest time between the answers to two writes, and the position of the one before it. */
  readonly longestPauseMs: Ms;
  readonly before?: string;
  /** Why the last write that failed did. */
  readonly why?: string;
}

const EVERY_MS: Ms = 100;
const WRITE_LIMIT_MS: Ms = 1_000;

/** Writes ten times a second until the time is up or `signal` ends it; then it has left nothing behind. */
export class GameDayProbe {
  #figures: ProbeFigures = { runs: true, writes: 0, failures: 0, longestPauseMs: 0 };
  readonly #prober: MessageProber;
  readonly #clock: Clock;
  readonly #stopping = new AbortController();

  constructor(prober: MessageProber, clock: Clock) {
    this.#prober = prober;
    this.#clock = clock;
  }

  figures = (): ProbeFigures => this.#figures;

  stop(): void {
    this.#stopping.abort();
    this.#prober.close();
    this.#figures = { ...this.#figures, runs: false };
  }

  async run(forMs: Ms): Promise<void> {
    const clock = this.#clock;
    const { signal } = this.#stopping;
    const end = after(clock.now(), forMs);
    let last: { readonly at: ReturnType<Clock["now"]>; readonly position: string } | undefined;
    while (!signal.aborted && clock.now() < end) {
      try {
        const position = await this.#prober.write(WRITE_LIMIT_MS);
        const at = clock.now();
        this.#answered(last === undefined ? 0 : at - last.at, last?.position);
        last = { at, position };
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        if (!signal.aborted)
          this.#figures = { ...this.#figures, failures: this.#figures.failures + 1, why };
      }
      await clock.sleep(EVERY_MS, signal).catch(() => undefined);
    }
    this.stop();
  }

  #answered(pauseMs: Ms, before: string | undefined): void {
    const { writes, longestPauseMs } = this.#figures;
    const isLongest = pauseMs > longestPauseMs;
    this.#figures = {
      ...this.#figures,
      writes: writes + 1,
      ...(isLongest ? { longestPauseMs: Math.round(pauseMs) } : {}),
      ...(isLongest && before !== undefined ? { before } : {}),
    };
  }
}
