// Where do incidents lie, so that they outlive the events that they were told from? One file each, the newest sixty.
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { readIfPresent, removeDurably, writeDurably } from "../../adapters/system/durable-file.ts";
import type { Incident } from "../../incident/incident.ts";
import { isObject } from "../../model/wire/json.ts";

const MOST_KEPT = 60;
const NAME = /^I-\d{8}-\d{6}\.json$/;

/** Oldest first; a damaged file is left out. */
export async function readIncidents(folder: string): Promise<readonly Incident[]> {
  const texts = await Promise.all(
    (await namesIn(folder)).map((name) => readIfPresent(join(folder, name))),
  );
  return texts.flatMap((text) => asIncident(text) ?? []);
}

/** Writes what has changed, and removes the files of other ids of the same incident and the oldest ones. */
export async function writeIncidents(
  folder: string,
  before: readonly Incident[],
  now: readonly Incident[],
): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const kept = now.slice(-MOST_KEPT);
  const old = new Map(before.map((incident) => [incident.id, JSON.stringify(incident)]));
  for (const incident of kept) {
    const text = JSON.stringify(incident);
    if (old.get(incident.id) !== text)
      await writeDurably(join(folder, `${incident.id}.json`), text);
  }
  const names = new Set(kept.map(({ id }) => `${id}.json`));
  for (const name of await namesIn(folder))
    if (!names.has(name)) await removeDurably(join(folder, name));
}

async function namesIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((): string[] => []);
  return names.filter((name) => NAME.test(name)).toSorted();
}

function asIncident(text: string | undefined): Incident | undefined {
  try {
    const value: unknown = JSON.parse(text ?? "");
    return isIncident(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whether it has the fields that everything here relies on. */
export function isIncident(value: unknown): value is Incident {
  if (!isObject(value)) return false;
  const { id, kind, title, startedAt, lines, missing, checklist, cause } = value;
  return (
    typeof id === "string" &&
    NAME.test(`${id}.json`) &&
    typeof kind === "string" &&
    typeof title === "string" &&
    typeof startedAt === "number" &&
    Array.isArray(lines) &&
    Array.isArray(missing) &&
    Array.isArray(checklist) &&
    isObject(cause)
  );
}
