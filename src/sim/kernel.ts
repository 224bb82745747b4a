// What happens next? One queue of (time, sequence, effect) is the whole of simulated time.
//
// An effect that woke asynchronous code says so (`touch`); before the next effect every promise that can
// settle has settled. Effects that touch no promise cost no turn of the event loop.

export interface Ticket {
  cancel(): void;
}

/** One planned effect; it is its own ticket, because there are tens of thousands in a schedule. */
class Entry implements Ticket {
  readonly at: number;
  readonly sequence: number;
  run: (() => void) | undefined;

  constructor(at: number, sequence: number, run: () => void) {
    this.at = at;
    this.sequence = sequence;
    this.run = run;
  }

  cancel(): void {
    this.run = undefined;
  }
}

/** Every this many effects the real event loop gets a turn, so that a long run can be interrupted. */
const BREATHE_EVERY = 20_000;

const READY = Promise.resolve();

/**
 * Calls `run` after every promise that can settle has settled: a tick runs only when no microtask is left, at a quarter
 * of a macrotask's price. It is asked for from a microtask, because a tick asked for by a tick comes before them.
 */
const whenSettled = (run: () => void): void => {
  // oxlint-disable-next-line eslint/no-restricted-globals -- tidy-allow: the kernel alone may wait for promises to settle
  void READY.then(() => process.nextTick(run));
};

const breathe = (run: () => void): void => {
  // oxlint-disable-next-line eslint/no-restricted-globals -- tidy-allow: the kernel alone may turn the real event loop
  setImmediate(run);
};

export class Kernel {
  #now = 0;
  #sequence = 0;
  #touched = false;
  #stopped = false;
  #effects = 0;
  readonly #heap: Entry[] = [];

  /** True time in milliseconds since the schedule began; no simulated process may read it. */
  get now(): number {
    return this.#now;
  }

  /** Effects run so far. */
  get effects(): number {
    return this.#effects;
  }

  /** Runs `run` at `time`, after everything that was planned earlier for the same time. */
  at(time: number, run: () => void): Ticket {
    const entry = new Entry(Math.max(time, this.#now), this.#sequence++, run);
    this.#push(entry);
    return entry;
  }

  after(ms: number, run: () => void): Ticket {
    return this.at(this.#now + ms, run);
  }

  /** Asynchronous code was woken: let promises settle before the next effect. */
  touch(): void {
    this.#touched = true;
  }

  /** Ends the run before its time: a checker has found a violation. */
  stop(): void {
    this.#stopped = true;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Runs effects until `time` has come, or until `stop`. */
  runUntil(time: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        try {
          if (!this.#run(time)) resolve();
          else if (this.#effects % BREATHE_EVERY === 0) breathe(() => whenSettled(turn));
          else whenSettled(turn);
        } catch (error) {
          reject(error);
        }
      };
      whenSettled(turn);
    });
  }

  /** Runs effects up to one after which promises have to settle; answers false when there is nothing more to do. */
  #run(time: number): boolean {
    this.#touched = false;
    while (!this.#stopped) {
      const next = this.#heap[0];
      if (next === undefined || next.at > time) {
        this.#now = Math.max(this.#now, time);
        return false;
      }
      this.#pop();
      if (next.run === undefined) continue;
      this.#now = next.at;
      this.#effects += 1;
      next.run();
      if (this.#touched || this.#effects % BREATHE_EVERY === 0) return true;
    }
    return false;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push(entry);
    while (i > 0) {
      const up = (i - 1) >> 1;
      const parent = heap[up];
      if (parent === undefined || !isBefore(entry, parent)) break;
      heap[i] = parent;
      i = up;
    }
    heap[i] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      const left = heap[child];
      if (left === undefined) break;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, left)) child += 1;
      const chosen = heap[child];
      if (chosen === undefined || !isBefore(chosen, last)) break;
      heap[i] = chosen;
      i = child;
    }
    heap[i] = last;
  }
}

const isBefore = (a: Entry, b: Entry): boolean =>
  a.at < b.at || (a.at === b.at && a.sequence < b.sequence);
