// Which copies do the repositories hold, and where do they lie, as it looks from this node?
import { stat } from "node:fs/promises";
import { readIdentity, whyNotOurs } from "../adapters/repo/identity.ts";
import { readHeld } from "../backup/evidence.ts";
import { openShelf } from "../backup/open-shelf.ts";
import type { Held, RepositoryEvidence, Whereabouts } from "../model/copy-evidence.ts";
import { asAppError } from "../model/error.ts";
import type { RepositoryIdentity, RepositorySettings } from "../model/repository.ts";
import type { EvidenceReport } from "../model/wire/repositories.ts";
import { type OpenRepository, openRepositories } from "./repositories.ts";
import type { Task, TaskContext } from "./task.ts";

/** Reads every repository; one that cannot be read is unknown and says why. */
export const readEvidence: Task = async (context): Promise<EvidenceReport> => {
  const { identity, opened } = await openRepositories(context, undefined);
  const items: RepositoryEvidence[] = [];
  for (const one of opened) {
    const { name, storage, offSite, place } = one.settings;
    context.progress({ step: `reading ${name}` });
    const where = await whereIs(place).catch(() => ({}));
    const held = await heldIn(one, identity, context);
    items.push({ name, storage, offSite, ...where, held });
  }
  const { volume, medium } = await whereIsDirectory(context.settings.postgres.dataDir).catch(
    (): Whereabouts => ({}),
  );
  return {
    items,
    ...(volume === undefined ? {} : { dataVolume: volume }),
    ...(medium === undefined ? {} : { dataMedium: medium }),
  };
};

async function heldIn(
  { repo }: OpenRepository,
  mine: RepositoryIdentity,
  { settings, cluster, signal }: TaskContext,
): Promise<Held> {
  try {
    const theirs = await readIdentity(repo, signal);
    if (theirs === undefined) return { kind: "unclaimed" };
    const why = await whyNotOurs(repo, { mine, theirs }, signal);
    if (why !== undefined) return { kind: "foreign", why };
    const shelf = await openShelf({
      settings,
      cluster,
      repo: repo.name,
      systemId: mine.systemId,
      signal,
    });
    return await readHeld(shelf, signal);
  } catch (error) {
    signal.throwIfAborted();
    const { message } = asAppError(error, "REPO_UNREACHABLE", "reading");
    return { kind: "unknown", why: message };
  }
}

async function whereIs(place: RepositorySettings["place"]): Promise<Whereabouts> {
  if (place.kind === "directory") return whereIsDirectory(place.directory);
  const { bucket, prefix, endpoint, region } = place;
  const medium = endpoint ?? "amazon";
  const volume = `${medium} ${endpoint === undefined ? region : ""} ${bucket}`;
  return { place: `${volume} ${prefix}`, volume, medium };
}

/** Device and inode tell one directory from another whatever they are called: links and bind mounts do not hide it. */
async function whereIsDirectory(directory: string): Promise<Whereabouts> {
  const { dev, ino } = await stat(directory, { bigint: true });
  return { place: `${dev}:${ino}`, volume: `device ${dev}`, medium: `device ${dev}` };
}
