// Which repositories may this node use, and are they this cluster's?
import { readControlFile } from "../adapters/postgres/control-data.ts";
import { claimRepository } from "../adapters/repo/identity.ts";
import { openRepo } from "../adapters/repo/open.ts";
import { backupOf, repositoriesOf } from "../backup/named.ts";
import { AppError } from "../model/error.ts";
import type { RepositoryIdentity, RepositorySettings } from "../model/repository.ts";
import type { Repo } from "../ports/repo.ts";
import type { TaskContext } from "./task.ts";

/** One repository at this cluster's place, with what the node's file says of it. */
export interface OpenRepository {
  readonly repo: Repo;
  readonly settings: RepositorySettings;
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
): Promise<{
  identity: RepositoryIdentity;
  opened: readonly [OpenRepository, ...OpenRepository[]];
}> {
  const text = name === undefined || typeof name === "string" ? name : JSON.stringify(name);
  const [first, ...more] = repositoriesOf(backupOf(who.settings), text);
  const identity = await ownIdentity(who);
  const openOne = async (settings: RepositorySettings): Promise<OpenRepository> => ({
    settings,
    repo: await openRepo(settings, identity),
  });
  return { identity, opened: [await openOne(first), ...(await Promise.all(more.map(openOne)))] };
}

/** The one of that name, or the first one of the file: proven to be this cluster's before anything is written. */
export async function chosenRepository(
  who: Who & Pick<TaskContext, "signal">,
  name: unknown,
): Promise<{ repo: Repo; identity: RepositoryIdentity }> {
  const { identity, opened } = await openRepositories(who, name);
  const [{ repo }] = opened;
  await claimRepository(repo, { mine: identity }, who.signal);
  return { repo, identity };
}
