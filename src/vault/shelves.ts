// The repositories of the node's file, opened for the WAL of one cluster.
import { readFileSync } from "node:fs";
import { readIdentity } from "../adapters/repo/identity.ts";
import { openRepo } from "../adapters/repo/open.ts";
import { AppError } from "../model/error.ts";
import { type BackupSettings, whyForeign } from "../model/repository.ts";
import type { Shelf } from "./lane.ts";
import { type WalPacking, WalStore } from "./wal-store.ts";

export interface ShelvesWanted {
  readonly scope: string;
  readonly namespace: string;
  readonly systemId: string;
  readonly backup: BackupSettings;
}

/** Throws REPO_… when one of them is another cluster's, or does not say whose it is. */
export async function openShelves(
  { scope, namespace, systemId, backup }: ShelvesWanted,
  signal: AbortSignal,
): Promise<readonly Shelf[]> {
  const how = packingOf(backup);
  const shelves: Shelf[] = [];
  for (const settings of backup.repositories) {
    const repo = await openRepo(settings, { scope, systemId });
    const theirs = await readIdentity(repo, signal);
    const mine = { format: 1, scope, namespace, systemId, storeId: undefined } as const;
    const why = theirs === undefined ? undefined : whyForeign(mine, theirs);
    if (why !== undefined) throw new AppError("REPO_FOREIGN", `archiving to ${repo.name}`, why);
    shelves.push({ store: new WalStore(repo, how), required: settings.required });
  }
  return shelves;
}

export function packingOf({ compression, recipients, identityFile }: BackupSettings): WalPacking {
  return { compression, recipients, identities: identitiesIn(identityFile) };
}

/** Private keys, one a line, where this host has any. */
function identitiesIn(file: string | undefined): readonly string[] {
  if (file === undefined) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.map((line) => line.trim()).filter((line) => line.startsWith("AGE-SECRET-KEY-"));
}
