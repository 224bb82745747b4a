// How does one end be heard by many waits, one after the other, without remembering those that are over?

/**
 * For what may end while others wait for something else: a signal, a socket, a program. A promise in `Promise.race` would
 * do for one wait; but until it settles it keeps a word about each, and a stream of a terabyte waits millions of times.
 */
export class Ending {
  readonly #stops = new Set<(reason: unknown) => void>();
  #ended: { readonly reason: unknown } | undefined;

  /** Ends all waits of now and later; only the first reason counts. */
  end(reason: unknown): void {
    if (this.#ended !== undefined) return;
    this.#ended = { reason };
    for (const stop of this.#stops) stop(reason);
    this.#stops.clear();
  }

  /** What `work` answers, unless the end comes first: then its reason is thrown, and the work is left behind. */
  before<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#ended !== undefined) reject(this.#ended.reason);
      else this.#stops.add(reject);
      work.then(resolve, reject).finally(() => this.#stops.delete(reject));
    });
  }
}
