// The repositories of the node's file, opened for the WAL of one cluster.
import { readFileSync } from "node:fs";
import { createDirectoryRepo } from "../adapters/repo/directory.ts";
import { AppError } from "../model/error.ts";
import { clusterPlace } from "../model/repo-keys.ts";
import type { BackupSettings, RepositorySettings } from "../model/repository.ts";
import type { Repo } from "../ports/repo.ts";
import type { Shelf } from "./lane.ts";
import { type WalPacking, WalStore } from "./wal-store.ts";

export interface ShelvesWanted {
  readonly scope: string;
  readonly systemId: string;
  readonly backup: BackupSettings;
}

/** Throws REPO_… when one of them does not let itself be used. */
export function openShelves({ scope, systemId, backup }: ShelvesWanted): readonly Shelf[] {
  const how = packingOf(backup);
  const place = clusterPlace(scope, systemId);
  return backup.repositories.map((settings) => ({
    store: new WalStore(openRepo(settings, place), how),
    required: settings.required,
  }));
}

function openRepo({ name, place: at }: RepositorySettings, place: string): Repo {
  if (at.kind === "directory") return createDirectoryRepo({ name, directory: at.directory, place });
  throw new AppError("NOT_POSSIBLE", `opening ${name}`, "WAL goes into directories only");
}

function packingOf({ compression, recipients, identityFile }: BackupSettings): WalPacking {
  return { compression, recipients, identities: identitiesIn(identityFile) };
}

/** Private keys, one a line, where this host has any. */
function identitiesIn(file: string | undefined): readonly string[] {
  if (file === undefined) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.map((line) => line.trim()).filter((line) => line.startsWith("AGE-SECRET-KEY-"));
}
