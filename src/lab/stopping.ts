// How does a long command end before its time? In order: what runs is finished, and what it made is taken back.

export interface Stopping {
  /** Says one line to the person at the terminal. */
  readonly say: (text: string) => void;
  /** What happens now, after the first signal. */
  readonly now: string;
  /** What nobody takes back after the second one, and how to do that. */
  readonly left: () => string;
}

export const EXIT_INTERRUPTED = 130;

/** Set by the first Ctrl-C or SIGTERM; a second one ends the program at once, and says what is left. */
export function stopSignal({ say, now, left }: Stopping): AbortSignal {
  const stop = new AbortController();
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) {
    process.on(signal, () => {
      if (stop.signal.aborted) {
        say(`${signal} again: ended at once. Left: ${left()}`);
        process.exit(EXIT_INTERRUPTED);
      }
      say(`${signal}: ${now}`);
      stop.abort();
    });
  }
  return stop.signal;
}

/** The words for a lab that a command made and did not take down. */
export const labLeft = (name: string): string =>
  `the lab ${name}; take it down with: understudy lab down --name ${name}`;
