// Which base backups does a repository hold, as far as coverage goes?
import type { StoredBackup } from "../model/coverage.ts";
import { parseLsn } from "../model/lsn.ts";
import { expiredKey } from "../model/repo-keys.ts";
import { isObject } from "../model/wire/json.ts";
import type { Repo } from "../ports/repo.ts";

const RECORD = /^base\/([^/]+)\/backup\.json$/;

/** A reader that asks for each record once: a backup never changes, and goes as a whole. */
export function backupReader(
  repo: Repo,
): (signal: AbortSignal) => Promise<readonly StoredBackup[]> {
  let known: ReadonlyMap<string, StoredBackup | undefined> = new Map();
  return async (signal) => {
    const found = new Map<string, StoredBackup | undefined>();
    const keys = (await repo.list("base/", signal)).map(({ key }) => key);
    const all = new Set(keys);
    for (const key of keys) {
      const id = RECORD.exec(key)?.[1];
      // One that is being removed leads nowhere, and nothing is missing behind it.
      if (id !== undefined && !all.has(expiredKey("base", id)))
        found.set(key, known.has(key) ? known.get(key) : await readRecord(repo, key, id, signal));
    }
    known = found;
    return [...found.values()].filter((backup) => backup !== undefined);
  };
}

async function readRecord(
  repo: Repo,
  key: string,
  id: string,
  signal: AbortSignal,
): Promise<StoredBackup | undefined> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await repo.get(key, signal)) chunks.push(chunk);
  const read = plainJson(Buffer.concat(chunks).toString("utf8"));
  if (!isObject(read)) return undefined;
  const { timeline, startLsn, stopLsn } = read;
  const start = typeof startLsn === "string" ? parseLsn(startLsn) : undefined;
  const stop = typeof stopLsn === "string" ? parseLsn(stopLsn) : undefined;
  if (typeof timeline !== "number" || start === undefined || stop === undefined) return undefined;
  return { id, timeline, startLsn: start, stopLsn: stop };
}

function plainJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
