// Where does a member keep game days? One file each, the newest sixty.
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { readIfPresent, removeDurably, writeDurably } from "../../adapters/system/durable-file.ts";
import { asGameDay, type GameDay } from "../../model/game-day/game-day.ts";

const MOST_KEPT = 60;
const NAME = /^G-\d{8}-\d{6}\.json$/;

/** Oldest first; a damaged file is left out. */
export async function readGameDays(folder: string): Promise<readonly GameDay[]> {
  const texts = await Promise.all(
    (await namesIn(folder)).map((name) => readIfPresent(join(folder, name))),
  );
  return texts.flatMap((text) => parsed(text) ?? []);
}

/** Writes one, and removes the oldest that are too many. */
export async function writeGameDay(folder: string, day: GameDay): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeDurably(join(folder, `${day.id}.json`), JSON.stringify(day));
  for (const name of (await namesIn(folder)).slice(0, -MOST_KEPT))
    await removeDurably(join(folder, name));
}

async function namesIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((): string[] => []);
  return names.filter((name) => NAME.test(name)).toSorted();
}

function parsed(text: string | undefined): GameDay | undefined {
  try {
    return asGameDay(JSON.parse(text ?? ""));
  } catch {
    return undefined;
  }
}
