// Where do records lie that outlive what they were told from? One file each, the newest sixty.
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { readIfPresent, removeDurably, writeDurably } from "../adapters/system/durable-file.ts";

/** A letter for the kind of record, and the second of its beginning: names stand in the order of time. */
interface Recorded {
  readonly id: string;
}

const NAME = /^[A-Z]-\d{8}-\d{6}\.json$/;
const MOST_KEPT = 60;

/** Oldest first; a damaged file, and what `as` takes for none, is left out. */
export async function readRecords<T>(
  folder: string,
  as: (value: unknown) => T | undefined,
): Promise<readonly T[]> {
  const texts = await Promise.all(
    (await namesIn(folder)).map((name) => readIfPresent(join(folder, name))),
  );
  return texts.flatMap((text) => as(parsed(text)) ?? []);
}

/** Writes what is not as it was `before`, and removes the oldest ones and whatever is no record of now. */
export async function writeRecords<T extends Recorded>(
  folder: string,
  before: readonly T[],
  now: readonly T[],
): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const kept = now.slice(-MOST_KEPT);
  const old = new Map(before.map((record) => [record.id, JSON.stringify(record)]));
  for (const record of kept) {
    const text = JSON.stringify(record);
    if (old.get(record.id) !== text) await writeDurably(join(folder, `${record.id}.json`), text);
  }
  const names = new Set(kept.map(({ id }) => `${id}.json`));
  for (const name of await namesIn(folder))
    if (!names.has(name)) await removeDurably(join(folder, name));
}

async function namesIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((): string[] => []);
  return names.filter((name) => NAME.test(name)).toSorted();
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}
