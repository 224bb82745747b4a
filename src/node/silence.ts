// Which members did not answer lately? They are not waited for as long the next time.
import { after, type Instant, type Ms } from "../model/time.ts";
import type { Clock } from "../ports/clock.ts";

/** After this long a silent member is given the full time again: it may only have been busy. */
const FORGET_MS: Ms = 10_000;

export class Silence {
  readonly #clock: Pick<Clock, "now">;
  readonly #since = new Map<string, Instant>();

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  heard(name: string, answered: boolean): void {
    if (answered) this.#since.delete(name);
    else if (!this.wasSilent(name)) {
      this.#forgetOld();
      this.#since.set(name, this.#clock.now());
    }
  }

  /** Members that are gone are never heard of again. */
  #forgetOld(): void {
    for (const name of this.#since.keys()) if (!this.wasSilent(name)) this.#since.delete(name);
  }

  /** Silent when it was last asked, no longer ago than ten seconds since the full wait. */
  wasSilent(name: string): boolean {
    const since = this.#since.get(name);
    return since !== undefined && this.#clock.now() < after(since, FORGET_MS);
  }
}
