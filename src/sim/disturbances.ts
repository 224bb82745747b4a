// Has something been left alone for long enough that a checker may blame the code?

/** Faults that last, counted: calm is when none lasts and the last one ended long ago. */
export class Disturbances {
  #lasting = 0;
  #lastAt = Number.NEGATIVE_INFINITY;
  change(by: 1 | -1, now: number): void {
    this.#lasting += by;
    this.#lastAt = now;
  }
  /** A fault without an end. */
  note(now: number): void {
    this.#lastAt = now;
  }
  isCalmSince(time: number): boolean {
    return this.#lasting === 0 && this.#lastAt < time;
  }
}
