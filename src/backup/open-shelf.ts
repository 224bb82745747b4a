// From a node's file to the repository that is meant, at the place of the cluster that is meant.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { readControlFile } from "../adapters/postgres/control-data.ts";
import { isAbsent } from "../adapters/postgres/files.ts";
import { claimRepository } from "../adapters/repo/identity.ts";
import { openRepo } from "../adapters/repo/open.ts";
import { pack, unpack } from "../adapters/repo/packing.ts";
import { AppError } from "../model/error.ts";
import { didYouMean } from "../model/nearest.ts";
import { unpacked } from "../model/repo-keys.ts";
import type { BackupSettings, RepositorySettings } from "../model/repository.ts";
import type { NodeSettings } from "../model/settings.ts";
import type { KnownCluster } from "../model/worker.ts";
import type { Shelf } from "./shelf.ts";

export interface ShelfWish {
  readonly settings: NodeSettings;
  readonly cluster: KnownCluster;
  /** Undefined: the first of the file. */
  readonly repo: string | undefined;
  /** Instead of the one that the file names. */
  readonly identityFile?: string | undefined;
  /** Instead of the one that data or repository tell. */
  readonly systemId?: string | undefined;
  readonly signal: AbortSignal;
}

const ATTEMPT = "opening the repository";

export function backupSettings({ backup }: NodeSettings): BackupSettings {
  if (backup !== undefined) return backup;
  const why = "this node's file has no section backup";
  throw new AppError("NOT_POSSIBLE", ATTEMPT, why);
}

export async function openShelf(wish: ShelfWish): Promise<Shelf> {
  const backup = backupSettings(wish.settings);
  const repository = chosen(backup.repositories, wish.repo);
  const systemId = await systemIdOf(wish, repository.place);
  const { scope, namespace } = wish.settings;
  const repo = openRepo(repository, { scope, systemId });
  const { signal } = wish;
  const { compression, recipients } = backup;
  const identities = await readIdentities(wish.identityFile ?? backup.identityFile);
  const packing = { compression, encrypted: recipients.length > 0 };
  return {
    repo,
    claim: async () => {
      const mine = {
        format: 1,
        scope,
        namespace,
        systemId,
        storeId: wish.cluster.storeId,
      } as const;
      await claimRepository(repo, { mine }, signal);
    },
    packing,
    canRead: identities.length > 0,
    pack: (content) => pack(content, { compression, recipients }, signal),
    encrypt: (content) => pack(content, { compression: "none", recipients }, signal),
    decompress: (content) =>
      unpack(content, { packing: { compression, encrypted: false }, identities: [] }, signal),
    unpack: (key, content) =>
      unpack(content, { packing: unpacked(key).packing, identities }, signal),
  };
}

function chosen(
  repositories: readonly RepositorySettings[],
  name: string | undefined,
): RepositorySettings {
  const found = name === undefined ? repositories[0] : repositories.find((r) => r.name === name);
  if (found !== undefined) return found;
  const names = repositories.map((repository) => repository.name);
  const why = `there is no repository ${name}${didYouMean(name ?? "", names)}; there are ${names.join(", ")}`;
  throw new AppError("NOT_POSSIBLE", ATTEMPT, why);
}

/** Of the data here; on a machine without any, of the only cluster of this name in the repository. */
async function systemIdOf(wish: ShelfWish, place: RepositorySettings["place"]): Promise<string> {
  const { postgres, scope } = wish.settings;
  if (wish.systemId !== undefined) return wish.systemId;
  const own = (await readControlFile(postgres.dataDir))?.systemId ?? wish.cluster.systemId;
  if (own !== undefined) return own;
  if (place.kind !== "directory") {
    const why = "there is no data here that tells whose backups are meant: say --system ID";
    throw new AppError("NOT_POSSIBLE", ATTEMPT, why);
  }
  const { directory } = place;
  const found = (await readdir(join(directory, scope)).catch(isAbsent)) ?? [];
  const [only = "", ...more] = found.filter((name) => /^\d+$/.test(name));
  if (only !== "" && more.length === 0) return only;
  const why =
    only === ""
      ? `${directory} holds nothing of ${scope}`
      : `${directory} holds several clusters named ${scope}: ${[only, ...more].join(", ")}`;
  throw new AppError("NOT_POSSIBLE", ATTEMPT, why);
}

/** The private keys of a file as `age-keygen` writes it; none when no file is named. */
async function readIdentities(file: string | undefined): Promise<readonly string[]> {
  if (file === undefined) return [];
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new AppError("REPO_KEY_WRONG", `reading ${file}`, why, error);
  }
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.startsWith("AGE-SECRET-KEY-"));
}
