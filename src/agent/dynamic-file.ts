// Where do Patroni's readers find the dynamic configuration beside the data, and what do we take from there?
//
// Patroni keeps it in the data directory, for a store that has lost it. Ours is in the state directory (R44); the file is
// kept for who looks for it, for the way back, and read once, by an agent that follows one of Patroni's on its data.
import { join } from "node:path";
import { asFileError, readIfPresent, writeDurably } from "../adapters/system/durable-file.ts";
import type { OsUser } from "../adapters/system/os-user.ts";
import type { HaWorld } from "../controllers/ha/world.ts";
import { parseConfig } from "../model/wire/config.ts";
import { isObject, parseJson } from "../model/wire/json.ts";
import type { Log } from "../ports/log.ts";
import type { NodeStateFile } from "../ports/node-state.ts";

const NAME = "patroni.dynamic.json";

export interface DynamicFileOptions {
  readonly dataDir: string;
  /** Whose the data is. */
  readonly user: OsUser | undefined;
  readonly log: Log;
}

export class DynamicFile {
  readonly #o: DynamicFileOptions;
  /** What was written or found last: one value for as long as the stored text is the same. */
  #kept: unknown;
  #writing: Promise<void> | undefined;
  #isFailing = false;

  constructor(options: DynamicFileOptions) {
    this.#o = options;
  }

  /** Writes it when the store says something new, and again where that failed, which is told once. While a long step works on the directory, nothing is touched. */
  looked({ store, server, job }: HaWorld): void {
    const stored = store.kind === "known" ? store.value.config.value?.raw : undefined;
    if (stored === undefined || stored === this.#kept) return;
    if (server.directory !== "data" || job !== undefined || this.#writing !== undefined) return;
    this.#kept = stored;
    this.#writing = this.#write(JSON.stringify(stored));
  }

  async #write(text: string): Promise<void> {
    const path = join(this.#o.dataDir, NAME);
    try {
      if ((await readIfPresent(path)) !== text)
        await writeDurably(path, text, { owner: this.#o.user });
      this.#isFailing = false;
    } catch (error) {
      this.#kept = undefined;
      if (!this.#isFailing)
        this.#o.log.warn("the configuration could not be written beside the data", {
          error: asFileError(error, `writing ${path}`),
        });
      this.#isFailing = true;
    }
    this.#writing = undefined;
  }
}

/** An agent that remembers nothing yet takes what Patroni's remembered; what is not valid is left alone. */
export async function takeOverDynamicFile(dataDir: string, state: NodeStateFile): Promise<void> {
  if (state.current().config !== undefined) return;
  const text = await readIfPresent(join(dataDir, NAME)).catch(() => undefined);
  const value = parseJson(text ?? "");
  if (!isObject(value) || parseConfig(value, { mode: "lenient" }).kind !== "ok") return;
  await state.update({ config: JSON.stringify(value) });
}
