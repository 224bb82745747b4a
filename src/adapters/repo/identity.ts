// Whose repository is this? Found out before anything is written to it.
import { AppError } from "../../model/error.ts";
import { IDENTITY_KEY, storeKey } from "../../model/repo-keys.ts";
import {
  isOfOtherStore,
  parseIdentity,
  printIdentity,
  type RepositoryIdentity,
  whyForeign,
} from "../../model/repository.ts";
import type { Repo } from "../../ports/repo.ts";

/** Undefined when nobody has claimed the place yet. REPO_FOREIGN when its record cannot be read as one of ours. */
export async function readIdentity(
  repo: Repo,
  signal: AbortSignal,
): Promise<RepositoryIdentity | undefined> {
  if ((await repo.head(IDENTITY_KEY, signal)) === undefined) return undefined;
  const parts: Uint8Array[] = [];
  for await (const part of await repo.get(IDENTITY_KEY, signal)) parts.push(part);
  const identity = parseIdentity(Buffer.concat(parts).toString("utf8"));
  if (identity !== undefined) return identity;
  throw foreign(repo, "its repository.json is not one of ours, or newer than this program");
}

export interface Claim {
  readonly mine: RepositoryIdentity;
  /** A person says that this cluster is the one that wrote here, although its store is another. */
  readonly continues?: boolean;
}

/** Makes the place this cluster's, or proves that it is. REPO_FOREIGN names the other; then nothing was written. */
export async function claimRepository(
  repo: Repo,
  { mine, continues = false }: Claim,
  signal: AbortSignal,
): Promise<"claimed" | "ours"> {
  const there = await readIdentity(repo, signal);
  if (there === undefined) {
    const { kind } = await repo.put(IDENTITY_KEY, textOf(printIdentity(mine)), {}, signal);
    if (kind === "stored") return "claimed";
  }
  // Somebody was there before, or came between: a member of ours, or another cluster.
  const theirs = there ?? (await readIdentity(repo, signal));
  if (theirs === undefined) throw foreign(repo, "its repository.json vanished");
  const why = await whyNotOurs(repo, { mine, theirs }, signal);
  if (why === undefined) return "ours";
  if (!continues || whyForeign(mine, theirs) !== undefined || mine.storeId === undefined)
    throw foreign(repo, why);
  await repo.put(storeKey(mine.storeId), textOf(printIdentity(mine)), {}, signal);
  return "claimed";
}

/** Undefined when the place is ours: by its name, and by its store or one that was said to continue it. */
export async function whyNotOurs(
  repo: Repo,
  { mine, theirs }: { readonly mine: RepositoryIdentity; readonly theirs: RepositoryIdentity },
  signal: AbortSignal,
): Promise<string | undefined> {
  const why = whyForeign(mine, theirs);
  if (why !== undefined || mine.storeId === undefined || !isOfOtherStore(mine, theirs)) return why;
  if ((await repo.head(storeKey(mine.storeId), signal)) !== undefined) return undefined;
  return (
    `it belongs to a cluster of this name in the store ${theirs.storeId}, and ours is ${mine.storeId}: ` +
    "if no other cluster writes there, say understudy backup repo init --continue"
  );
}

const foreign = (repo: Repo, why: string): AppError =>
  new AppError("REPO_FOREIGN", `using the repository ${repo.name}`, why);

async function* textOf(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
}
