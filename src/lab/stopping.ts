// How does a long command end before its time? In order: what runs is finished, and its lab taken down.

/** Set by the first Ctrl-C or SIGTERM, which it answers with `lastWords`; a second one ends the program at once. */
export function stopSignal(say: (text: string) => void, lastWords: string): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      say(`${signal}: ${lastWords}`);
      stop.abort();
    });
  }
  return stop.signal;
}
