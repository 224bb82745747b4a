// Which writes were promised, when was none, and are they all still there?
//
// Load, chaos reports, tests and measurements all count with this one ledger.
import type { Ms } from "../model/time.ts";
import type { Failure } from "./failures.ts";

/** A time without any acknowledged write, in milliseconds of this process' own clock. */
export interface Pause {
  readonly from: Ms;
  readonly to: Ms;
}

export interface LostRow {
  readonly worker: number;
  readonly sequence: number;
  /** The worker's next attempt got no answer: this was the last promise before the break. */
  readonly beforeBreak: boolean;
  /** When it was promised, on this process' own clock. */
  readonly at: Ms;
}

interface Run {
  readonly first: number;
  /** When each row was promised, beginning with the first. */
  readonly times: Ms[];
}

/** Pauses shorter than this are the rhythm of the load, not worth remembering. */
const SHORTEST_PAUSE_MS: Ms = 100;
const MOST_WORDS = 20;

export class Ledger {
  readonly #runs = new Map<number, Run[]>();
  readonly #pauses: Pause[] = [];
  #lastAt: Ms;
  #acknowledged = 0;
  #notPromised = 0;
  readonly #words = new Map<string, number>();
  readonly #failed: Record<Failure, number> = { "in-flight": 0, refused: 0 };

  constructor(startedAt: Ms) {
    this.#lastAt = startedAt;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Answered, but with a warning that nobody promises the row (R34). */
  get notPromised(): number {
    return this.#notPromised;
  }

  /** Attempts that ended in an error or without an answer; their rows may exist or not. */
  get failed(): number {
    return this.#failed["in-flight"] + this.#failed.refused;
  }

  /** Of these, attempts that no server ever had. */
  get refused(): number {
    return this.#failed.refused;
  }

  /** What the failed attempts were told, and how often; at most MOST_WORDS different ones. */
  get words(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#words);
  }

  get lastAcknowledgedAt(): Ms {
    return this.#lastAt;
  }

  /** The server promised this row. Each worker's sequence numbers only grow. */
  acknowledge(worker: number, sequence: number, at: Ms): void {
    this.#acknowledged += 1;
    if (at - this.#lastAt >= SHORTEST_PAUSE_MS) this.#pauses.push({ from: this.#lastAt, to: at });
    this.#lastAt = Math.max(this.#lastAt, at);
    const runs = this.#runs.get(worker) ?? [];
    this.#runs.set(worker, runs);
    const newest = runs.at(-1);
    if (newest !== undefined && newest.first + newest.times.length === sequence) {
      newest.times.push(at);
    } else runs.push({ first: sequence, times: [at] });
  }

  doubt(): void {
    this.#notPromised += 1;
  }

  fail(why: Failure, words = ""): void {
    this.#failed[why] += 1;
    const told = this.#words.get(words);
    if (told !== undefined || this.#words.size < MOST_WORDS)
      this.#words.set(words, (told ?? 0) + 1);
  }

  /** The longest time without an acknowledged write that had not ended by `since`, up to `now`. */
  longestPause(now: Ms, since: Ms = 0): Pause {
    const open = { from: this.#lastAt, to: Math.max(now, this.#lastAt) };
    return [...this.#pauses, open]
      .filter((pause) => pause.to >= since)
      .reduce((longest, pause) => (lengthOf(pause) > lengthOf(longest) ? pause : longest), {
        from: now,
        to: now,
      });
  }

  /** Every worker that has acknowledged rows. */
  workers(): readonly number[] {
    return [...this.#runs.keys()];
  }

  /** Acknowledged rows of a worker that are not among those found. */
  missing(worker: number, found: ReadonlySet<number>): readonly LostRow[] {
    const lost: LostRow[] = [];
    for (const { first, times } of this.#runs.get(worker) ?? []) {
      for (const [index, at] of times.entries()) {
        const sequence = first + index;
        if (found.has(sequence)) continue;
        lost.push({ worker, sequence, beforeBreak: index === times.length - 1, at });
      }
    }
    return lost;
  }
}

export const lengthOf = (pause: Pause): Ms => pause.to - pause.from;
