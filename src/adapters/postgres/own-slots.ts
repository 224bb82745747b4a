// Which of the slots here did this agent create? Its own word for it, beside the data: only these may go unasked.
import { join } from "node:path";
import { readIfPresent, writeDurably } from "../system/durable-file.ts";

interface SlotRecord {
  readonly systemId: string;
  readonly slots: readonly string[];
}

/** Read once, then kept in memory: nobody else writes it. A record of another cluster's data is no record. */
export class OwnSlots {
  readonly #path: string;
  #record: SlotRecord | undefined;

  constructor(stateDir: string) {
    this.#path = join(stateDir, "slots.json");
  }

  async names(systemId: string): Promise<readonly string[]> {
    this.#record ??= parseRecord(await readIfPresent(this.#path));
    return this.#record.systemId === systemId ? this.#record.slots : [];
  }

  /** On disk before the slot exists: a slot that we cannot account for would never go away. */
  async add(systemId: string, names: readonly string[]): Promise<void> {
    const known = await this.names(systemId);
    const missing = names.filter((name) => !known.includes(name));
    if (missing.length > 0) await this.#write(systemId, [...known, ...missing]);
  }

  async remove(systemId: string, names: readonly string[]): Promise<void> {
    const known = await this.names(systemId);
    const left = known.filter((name) => !names.includes(name));
    if (left.length < known.length) await this.#write(systemId, left);
  }

  async #write(systemId: string, slots: readonly string[]): Promise<void> {
    const record = { systemId, slots: slots.toSorted() };
    await writeDurably(this.#path, `${JSON.stringify(record)}\n`);
    this.#record = record;
  }
}

/** What cannot be read owns nothing: a slot too many is a smaller harm than one dropped in error. */
function parseRecord(text: string | undefined): SlotRecord {
  const nothing = { systemId: "", slots: [] };
  if (text === undefined) return nothing;
  try {
    const { systemId, slots } = JSON.parse(text) as Partial<SlotRecord>;
    if (typeof systemId !== "string" || !Array.isArray(slots)) return nothing;
    return { systemId, slots: slots.filter((name: unknown) => typeof name === "string") };
  } catch {
    return nothing;
  }
}
