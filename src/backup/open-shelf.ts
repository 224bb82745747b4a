// From a node's file to the repository that is meant, at the place of the cluster that is meant.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { readControlFile } from "../adapters/postgres/control-data.ts";
import { isAbsent } from "../adapters/postgres/files.ts";
import { claimRepository } from "../adapters/repo/identity.ts";
import { openRepo } from "../adapters/repo/open.ts";
import { objectIn, pack, unpack, unpackInto, unpackTo } from "../adapters/repo/packing.ts";
import { AppError } from "../model/error.ts";
import { unpacked } from "../model/repo-keys.ts";
import type { RepositorySettings } from "../model/repository.ts";
import type { NodeSettings } from "../model/settings.ts";
import type { KnownCluster } from "../model/worker.ts";
import { backupOf, identitiesOf, repositoriesOf } from "./named.ts";
import type { Shelf } from "./shelf.ts";
import { ownSignerOf } from "./signing.ts";

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

export async function openShelf(wish: ShelfWish): Promise<Shelf> {
  const backup = backupOf(wish.settings);
  const [repository] = repositoriesOf(backup, wish.repo);
  const systemId = await systemIdOf(wish, repository.place);
  const { scope, namespace } = wish.settings;
  const repo = await openRepo(repository, { scope, systemId });
  const { signal } = wish;
  const { compression, recipients } = backup;
  const identities = await identitiesOf(backup, wish.identityFile);
  const packing = { compression, encrypted: recipients.length > 0 };
  return {
    repo,
    systemId,
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
    signers: backup.drill.signers,
    ownSigner: ownSignerOf(wish.settings),
    canRead: identities.length > 0,
    pack: (content) => pack(content, { compression, recipients }, signal),
    encrypt: (content) => pack(content, { compression: "none", recipients }, signal),
    decompressInto: (take, object) => {
      const plain = { compression, encrypted: false };
      return unpackInto(take, { object, packing: plain, identities: [] }, signal);
    },
    unpack: (key, content) =>
      unpack(content, { packing: unpacked(key).packing, identities }, signal),
    unpackInto: (take, key, object) =>
      unpackInto(take, { object, packing: unpacked(key).packing, identities }, signal),
    layDown: async (key, path) => {
      const object = await objectIn(repo, key, signal);
      await unpackTo(path, { object, packing: unpacked(key).packing, identities }, signal);
    },
  };
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
