// Which repositories may this node use, and are they this cluster's?

import { readFile } from "node:fs/promises";
import { readControlFile } from "../adapters/postgres/control-data.ts";
import { claimRepository } from "../adapters/repo/identity.ts";
import { openRepo } from "../adapters/repo/open.ts";
import { AppError, asAppError } from "../model/error.ts";
import { didYouMean } from "../model/nearest.ts";
import type {
  BackupSettings,
  RepositoryIdentity,
  RepositorySettings,
} from "../model/repository.ts";
import type { NodeSettings } from "../model/settings.ts";
import type { Repo } from "../ports/repo.ts";
import type { TaskContext } from "./task.ts";

/** One repository at this cluster's place, with what the node's file says of it. */
export interface OpenRepository {
  readonly repo: Repo;
  readonly settings: RepositorySettings;
}

/** The section `backup`. Throws NOT_POSSIBLE when the file has none. */
export function backupOf({ backup }: NodeSettings): BackupSettings {
  if (backup !== undefined) return backup;
  throw new AppError("NOT_POSSIBLE", "using a repository", "the node's file has no section backup");
}

/** Who we are, from our own data and from what the agent last read of its cluster. */
async function ownIdentity({ settings, cluster }: Who): Promise<RepositoryIdentity> {
  const control = await readControlFile(settings.postgres.dataDir);
  const systemId = control?.systemId ?? cluster.systemId;
  if (systemId === undefined)
    throw new AppError("NOT_POSSIBLE", "using a repository", "this node has no data yet");
  const { scope, namespace } = settings;
  return { format: 1, scope, namespace, systemId, storeId: cluster.storeId };
}

type Who = Pick<TaskContext, "settings" | "cluster">;

/** The repositories of that name, or all of them; nothing is asked of them yet. */
export async function openRepositories(
  who: Who,
  name: unknown,
): Promise<{ identity: RepositoryIdentity; opened: readonly OpenRepository[] }> {
  const { repositories } = backupOf(who.settings);
  const wanted = repositories.filter((one) => name === undefined || one.name === name);
  if (wanted.length === 0) {
    const names = repositories.map((one) => one.name);
    const why = `its name is not ${String(name)}${didYouMean(String(name), names)}; there are ${names.join(", ")}`;
    throw new AppError("NOT_POSSIBLE", "choosing a repository", why);
  }
  const identity = await ownIdentity(who);
  return {
    identity,
    opened: wanted.map((one) => ({ settings: one, repo: openRepo(one, identity) })),
  };
}

/** The one of that name, or the first one of the file: proven to be this cluster's before anything is written. */
export async function chosenRepository(
  who: Who & Pick<TaskContext, "signal">,
  name: unknown,
): Promise<{ repo: Repo; identity: RepositoryIdentity }> {
  const { identity, opened } = await openRepositories(who, name);
  const [first] = opened;
  if (first === undefined)
    throw new AppError("NOT_POSSIBLE", "choosing a repository", "none is named");
  await claimRepository(first.repo, { mine: identity }, who.signal);
  return { repo: first.repo, identity };
}

/** How this node packs what it writes. */
export function packingOf(
  settings: NodeSettings,
): Pick<BackupSettings, "compression" | "recipients"> {
  const { compression, recipients } = backupOf(settings);
  return { compression, recipients };
}

/** The private keys of a file, or of the one in the node's file; none where neither is named. */
export async function identitiesOf(
  settings: NodeSettings,
  named: unknown,
): Promise<readonly string[]> {
  const file = typeof named === "string" ? named : backupOf(settings).identityFile;
  if (file === undefined) return [];
  const lines = await readFile(file, "utf8").catch((error: unknown) => {
    throw asAppError(error, "REPO_KEY_WRONG", `reading ${file}`);
  });
  return lines.split("\n").filter((line) => line.startsWith("AGE-SECRET-KEY-"));
}
