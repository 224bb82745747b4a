// How does a screen show itself again and again? Repainted on a terminal, one line of JSON each for a program.
import { setTimeout as sleep } from "node:timers/promises";
import { CliFailure, EXIT } from "./exit.ts";
import { printJsonText } from "./terminal.ts";

/** The seconds of `--watch` in milliseconds; 2 s when it says none. */
export function rhythmOf(written: string | true | undefined): number {
  if (written === true || written === undefined) return 2_000;
  const seconds = Number(written);
  if (seconds >= 0.2 && seconds <= 3_600) return seconds * 1_000;
  const why = "it must be a number of seconds between 0.2 and 3600";
  throw new CliFailure(EXIT.usage, `--watch ${written} is not possible`, why, "leave it out for 2");
}

interface Frames<F> {
  readonly everyMs: number;
  readonly repaint: boolean;
  readonly look: () => Promise<F>;
  readonly screen: (frame: F) => string;
  readonly json: (frame: F) => unknown;
}

/** Until interrupted; a look that fails is a frame that says why, and the next one is tried. */
export async function watchFrames<F>({ everyMs, repaint, look, ...as }: Frames<F>): Promise<void> {
  const stopped = new AbortController();
  process.once("SIGINT", () => stopped.abort());
  let last = "";
  if (repaint) process.stdout.write("\u001B[?1049h");
  while (!stopped.signal.aborted) {
    const frame = await look().then(
      (value) => ({ value }),
      (error: unknown) => ({ why: error instanceof Error ? error.message : String(error) }),
    );
    if (repaint) {
      last = "value" in frame ? as.screen(frame.value) : frame.why;
      process.stdout.write(`\u001B[H\u001B[J${last}\n`);
    } else if ("value" in frame) printJsonText(as.json(frame.value), true);
    await sleep(everyMs, undefined, { signal: stopped.signal }).catch(() => undefined);
  }
  if (repaint) process.stdout.write(`\u001B[?1049l${last}\n`);
}
