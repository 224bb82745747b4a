// Where do a node's events lie, so that they outlive its agent and its host's power? Two files of bounded size.
import { appendFile, mkdir, open, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { readIfPresent } from "../../adapters/system/durable-file.ts";
import { type NodeEvent, parseEvents, printEvent } from "../../model/event.ts";

/** Each of the two files; a full one becomes the old one. Together some ten thousand events. */
const MOST_BYTES = 1024 * 1024;
/** Events that could not be written, as on a full disk: the newest are kept for the next attempt. */
const MOST_WAITING = 1_000;

export class EventFile {
  readonly #path: string;
  #waiting: NodeEvent[] = [];
  #writing: Promise<void> | undefined;
  #size: number | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** All events that are kept, oldest first: those on disk and those that wait for it. */
  async all(): Promise<readonly NodeEvent[]> {
    await this.#writing;
    const texts = await Promise.all([this.#old, this.#path].map(readIfPresent));
    return [...texts.flatMap((text) => parseEvents(text ?? "")), ...this.#waiting];
  }

  /** Never waits and never throws: what cannot be written now is written with the next event. */
  add(event: NodeEvent): void {
    this.#waiting.push(event);
    if (this.#waiting.length > MOST_WAITING) this.#waiting.shift();
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Resolves when everything has been tried to be written. */
  async flush(): Promise<void> {
    await this.#writing;
    if (this.#waiting.length > 0) await this.#write();
  }

  async #write(): Promise<void> {
    // Whatever comes in the same moment goes along with it.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#append(batch.map((event) => `${printEvent(event)}\n`).join(""));
      } catch {
        this.#waiting = [...batch, ...this.#waiting].slice(-MOST_WAITING);
        return;
      }
    }
  }

  /** On the disk before the next ones are taken: the last events before a crash are those that matter. */
  async #append(lines: string): Promise<void> {
    let text = lines;
    if (this.#size === undefined) {
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
      this.#size = await stat(this.#path).then(
        ({ size }) => size,
        () => 0,
      );
      // An earlier life may have ended in the middle of a line: ours must not become its rest.
      if (this.#size > 0) text = `\n${text}`;
    }
    if (this.#size > MOST_BYTES) {
      await rename(this.#path, this.#old);
      this.#size = 0;
    }
    await appendFile(this.#path, text, { mode: 0o600 });
    this.#size += text.length;
    const file = await open(this.#path, "r+");
    try {
      await file.datasync();
    } finally {
      await file.close();
    }
  }

  get #old(): string {
    return `${this.#path}.old`;
  }
}
