// What can be asked about the repositories themselves? What they hold, what they can do, whose they are.
import { claimRepository, readIdentity, whyNotOurs } from "../adapters/repo/identity.ts";
import { asAppError } from "../model/error.ts";
import { walFileOf } from "../model/repo-keys.ts";
import type { RepositoryIdentity } from "../model/repository.ts";
import type { Holding, ProbedRepository, RepositoryReport } from "../model/wire/repositories.ts";
import type { StoredObject } from "../ports/repo.ts";
import { type OpenRepository, openRepositories } from "./repositories.ts";
import type { Task } from "./task.ts";

/** Each repository with what it holds; one that cannot be read says why. */
export const listRepositories: Task = async (context, input) => {
  const { identity, opened } = await openRepositories(context, input["repository"]);
  const { progress, signal } = context;
  const items: RepositoryReport[] = [];
  for (const one of opened) {
    progress({ step: `listing ${one.repo.name}` });
    const about = aboutOf(one);
    try {
      const owner = await readIdentity(one.repo, signal);
      const why = owner && (await whyNotOurs(one.repo, { mine: identity, theirs: owner }, signal));
      const objects = await one.repo.list("", signal);
      items.push({ ...about, ...stateOf(owner, why), holdings: holdingsOf(objects) });
    } catch (error) {
      signal.throwIfAborted();
      const { message } = asAppError(error, "REPO_UNREACHABLE", "listing");
      items.push({ ...about, state: "unknown", why: message, holdings: [] });
    }
  }
  return { items };
};

function stateOf(
  owner: RepositoryIdentity | undefined,
  why: string | undefined,
): Pick<RepositoryReport, "state" | "why"> {
  if (owner === undefined) return { state: "unclaimed" };
  return why === undefined ? { state: "ours" } : { state: "foreign", why };
}

export const probeRepositories: Task = async (context, input) => {
  const { opened } = await openRepositories(context, input["repository"]);
  const { progress, signal } = context;
  const items: ProbedRepository[] = [];
  for (const one of opened) {
    progress({ step: `probing ${one.repo.name}` });
    items.push({ ...aboutOf(one), ...(await one.repo.probe(signal)) });
  }
  return { items };
};

/** Claims each of them: the first failure ends it, and those before stay claimed, since claiming twice is no harm. */
export const initRepositories: Task = async (context, input) => {
  const { identity, opened } = await openRepositories(context, input["repository"]);
  const { progress, signal } = context;
  const claim = { mine: identity, continues: input["continues"] === true };
  const items: { name: string; outcome: string }[] = [];
  for (const { repo } of opened) {
    progress({ step: `claiming ${repo.name}` });
    items.push({ name: repo.name, outcome: await claimRepository(repo, claim, signal) });
  }
  return { items };
};

const aboutOf = ({ settings: { name, place, storage, offSite } }: OpenRepository) => ({
  name,
  kind: place.kind,
  place: place.kind === "directory" ? place.directory : `s3://${place.bucket}/${place.prefix}`,
  storage,
  offSite,
});

const KINDS: readonly (readonly [prefix: string, what: Holding["what"]])[] = [
  ["base/", "base"],
  ["logical/", "logical"],
  ["proofs/", "proofs"],
];

/** What lies there, summed up by kind; a backup counts once, however many files it has. */
function holdingsOf(objects: readonly StoredObject[]): readonly Holding[] {
  const groups = new Map<
    Holding["what"],
    { names: Set<string>; sizeBytes: number; newestMs: number }
  >();
  for (const { key, sizeBytes, storedAtMs } of objects) {
    const known = KINDS.find(([prefix]) => key.startsWith(prefix));
    const what = known?.[1] ?? (walFileOf(key) === undefined ? "other" : "wal");
    const group = groups.get(what) ?? { names: new Set(), sizeBytes: 0, newestMs: 0 };
    group.names.add(known === undefined ? key : (key.split("/")[1] ?? key));
    group.sizeBytes += sizeBytes;
    group.newestMs = Math.max(group.newestMs, storedAtMs);
    groups.set(what, group);
  }
  return [...groups].map(([what, { names, sizeBytes, newestMs }]) => ({
    what,
    count: names.size,
    sizeBytes,
    newestMs,
  }));
}
