// In which worlds were decisions made? Each changed decision with its whole world, in two files of bounded size.
//
// Nobody reads them while all is well. After an incident today's `decide` is run on them (`understudy replay`), and a
// world in which it would decide otherwise becomes a scenario.
import { appendFile, mkdir, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { HaWorld } from "../controllers/ha/world.ts";
import type { LastLook } from "../node/node.ts";
import { printWorld } from "../node/world-text.ts";

/** Each of the two files: some hundreds of worlds. */
const MOST_BYTES = 4 * 1024 * 1024;
/** Worlds that wait to be written; a disk that takes nothing costs no more memory than this. */
const MOST_WAITING = 20;

export class FlightRecorder {
  readonly #path: string;
  #waiting: string[] = [];
  #writing = false;
  #last: string | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Hears of a look after its decision. Neither waits nor throws. */
  looked({ world, decision }: LastLook): void {
    const { because, step } = decision;
    const last = step && world.outcomes[step.kind];
    const failed = last?.ok === false ? `${last.code}: ${last.why}` : undefined;
    const key = `${because} ${step?.kind ?? ""} ${failed ?? ""}`;
    // A step that fails on as it did before leaves the room for what came before it.
    if (key === this.#last && (step === undefined || failed !== undefined)) return;
    this.#last = key;
    this.#waiting.push(lineOf(world, decision));
    if (this.#waiting.length > MOST_WAITING) this.#waiting.shift();
    if (!this.#writing) void this.#write();
  }

  async #write(): Promise<void> {
    this.#writing = true;
    try {
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
      while (this.#waiting.length > 0) {
        const text = this.#waiting.splice(0).map((line) => `${line}\n`);
        const size = await stat(this.#path).then(
          (found) => found.size,
          () => 0,
        );
        if (size > MOST_BYTES) await rename(this.#path, `${this.#path}.old`);
        await appendFile(this.#path, text.join(""), { mode: 0o600 });
      }
    } catch {
      // A full disk keeps no worlds: events and log say what happened.
    } finally {
      this.#writing = false;
    }
  }
}

const lineOf = (world: HaWorld, { because, detail, step }: LastLook["decision"]): string =>
  printWorld({ wallMs: world.wallMs, because, detail, step: step?.kind, world });
