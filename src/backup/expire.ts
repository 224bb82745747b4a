// How does what a repository holds too long get out of it, so that it can be restored from at every moment in between?
//
// First every backup that goes is marked: from then on no restore begins with it, and coverage does not count on it. Then
// comes a second look; only what it still gives up is removed. A run that dies leaves marks, and the next one goes on.
import { randomBytes } from "node:crypto";
import { readIdentity, whyNotOurs } from "../adapters/repo/identity.ts";
import { AppError, asAppError } from "../model/error.ts";
import {
  type ExpiryPlan,
  isBelow,
  type JudgedBackup,
  planExpiry,
  STALE_MS,
  whyNotNow,
} from "../model/expiry.ts";
import { EXPIRIES_PREFIX, expiredKey, IN_USE_PREFIX } from "../model/repo-keys.ts";
import type { RepositoryIdentity, Retention } from "../model/repository.ts";
import type { Removed, RepositoryExpiry } from "../model/wire/expiry.ts";
import type { Repo, StoredObject } from "../ports/repo.ts";
import { bytesOf } from "./bytes.ts";
import { ABANDONED, type Look, lookAt, spentTails } from "./expiry-look.ts";
import type { Shelf } from "./shelf.ts";

export interface ExpiryOptions extends Pick<Shelf, "repo" | "signers" | "ownSigner"> {
  readonly identity: RepositoryIdentity;
  readonly retention: Retention | undefined;
  /** Only looks, and writes nothing. */
  readonly isPreview: boolean;
  /** The only backups that may go; undefined: all that the retention gives up. */
  readonly agreed: ReadonlySet<string> | undefined;
  readonly onStep: (step: string) => void;
  readonly signal: AbortSignal;
}

/** Objects that are removed at once: a far store answers each in tens of milliseconds. */
const AT_ONCE = 8;
const NOTHING: Removed = { files: 0, bytes: 0 };

/** Never throws what a repository does: it tells it, so that the next one gets its turn. */
export async function expire(options: ExpiryOptions): Promise<RepositoryExpiry> {
  const { repo, isPreview, signal } = options;
  const nothing = (because: string) => ({
    ...{ repository: repo.name, backups: [], tails: NOTHING, bytes: 0 },
    wal: { ...NOTHING, because },
  });
  const told: Telling = (state, why) => ({ ...nothing(why), state, why });
  if (options.retention === undefined) {
    const state = isPreview ? "planned" : "done";
    return { ...nothing("everything stays: backup.retention is not set for it"), state };
  }
  try {
    const why = await whyNotOurPlace(options);
    return why === undefined ? await judgeAndRemove(options, told) : told("refused", why);
  } catch (error) {
    signal.throwIfAborted();
    const failure = asAppError(error, "REPO_UNREACHABLE", `expiring in ${repo.name}`);
    // What was found to be wrong is refused; what did not answer may be well at the next run.
    const isRefused = failure.code === "REPO_FOREIGN" || failure.code === "REPO_DAMAGED";
    return told(isRefused ? "refused" : "failed", failure.message);
  }
}

/** Nobody's place is not made ours by removing things from it. */
async function whyNotOurPlace({ repo, identity, signal }: ExpiryOptions) {
  const theirs = await readIdentity(repo, signal);
  if (theirs === undefined) return "nothing was ever put there";
  return whyNotOurs(repo, { mine: identity, theirs }, signal);
}

type Telling = (state: "refused" | "failed", why: string) => RepositoryExpiry;

async function judgeAndRemove(options: ExpiryOptions, told: Telling): Promise<RepositoryExpiry> {
  const { repo, isPreview, retention, agreed, onStep, signal } = options;
  const note = isPreview ? undefined : await leaveNote(repo, signal);
  try {
    const nowMs = Date.now();
    onStep(`looking at ${repo.name}`);
    const look = await lookAt({ ...options, nowMs });
    const why = whyNotNow(look.seen, { nowMs, storeMs: note?.storedAtMs });
    if (why !== undefined) return told("refused", why);
    const plan = planExpiry(look.seen, retention, { nowMs, agreed });
    if (isPreview) return reportOf(repo, "planned", look, plan);
    return await remove(options, look, plan);
  } finally {
    if (note !== undefined) await repo.remove(note.key, signal).catch(() => undefined);
  }
}

/**
 * A small object of this run: it shows that the store takes writes, that its list is not an old one, and what time it is
 * there. Those of runs that died are taken away.
 */
async function leaveNote(repo: Repo, signal: AbortSignal): Promise<StoredObject> {
  const atMs = Date.now();
  const key = `${EXPIRIES_PREFIX}${atMs}-${randomBytes(4).toString("hex")}.json`;
  const text = `${JSON.stringify({ format: 1, atMs })}\n`;
  await repo.put(key, bytesOf(text), {}, signal);
  const notes = await repo.list(EXPIRIES_PREFIX, signal);
  const mine = notes.find((one) => one.key === key);
  if (mine === undefined) {
    const why = "it does not show an object that was just put: its list is an old one";
    throw new AppError("REPO_UNREACHABLE", `listing the repository ${repo.name}`, why);
  }
  for (const one of notes)
    if (mine.storedAtMs - one.storedAtMs > STALE_MS) await repo.remove(one.key, signal);
  return mine;
}

async function remove(
  options: ExpiryOptions,
  first: Look,
  plan: ExpiryPlan,
): Promise<RepositoryExpiry> {
  const { repo, retention, onStep, signal } = options;
  const goes = plan.backups.filter(({ fate }) => fate === "goes");
  const marked = new Set<string>();
  for (const one of goes) {
    onStep(`marking ${one.id}`);
    if (await mark(repo, one, first, signal)) marked.add(one.id);
  }
  onStep(`looking at ${repo.name} again`);
  const nowMs = Date.now();
  const look = await lookAt({ ...options, nowMs });
  // Whoever left a note before it was marked reads on; what was marked by another run is finished as well.
  const settled = planExpiry(look.seen, retention, { nowMs, agreed: marked });
  const isMarked = new Set(
    look.seen.backups.flatMap(({ id, state }) => (state === "marked" ? [id] : [])),
  );
  for (const one of settled.backups) {
    if (one.fate !== "goes" || !isMarked.has(one.id)) continue;
    onStep(`removing ${one.id}`);
    await removeBackup(repo, one, look, signal);
  }
  const words = new Map(plan.backups.map(({ id, because }) => [id, because]));
  const backups = settled.backups.map((one) =>
    one.fate === "goes" ? { ...one, because: words.get(one.id) ?? one.because } : one,
  );
  const report = reportOf(repo, "done", look, { ...settled, backups });
  onStep("removing WAL that no backup needs");
  await removeAll(repo, spentWal(look, settled), signal);
  onStep("removing pieces of segments that are whole");
  await removeAll(repo, tailsOf(look, settled), signal);
  await removeAll(repo, staleNotes(look, nowMs), signal);
  return report;
}

/** False when it turned out to be whole after all: then it is kept, like any backup that has just been taken. */
async function mark(
  repo: Repo,
  { kind, id }: JudgedBackup,
  look: Look,
  signal: AbortSignal,
): Promise<boolean> {
  const seen = look.seen.backups.find((one) => one.id === id);
  if (seen?.state === "unfinished") return giveUp(repo, { kind, id }, signal);
  await beginRemoval(repo, { kind, id }, signal);
  return true;
}

/** Whatever is unfinished is nobody's from now on, and goes. False when it turned out to be whole after all. */
export async function giveUp(
  repo: Repo,
  { kind, id }: Pick<JudgedBackup, "kind" | "id">,
  signal: AbortSignal,
): Promise<boolean> {
  // Created once, like everything: either whoever took it ends it, or we do.
  const record = `${kind}/${id}/backup.json`;
  const { kind: put } = await repo.put(record, bytesOf(ABANDONED), {}, signal);
  if (put === "exists-different") return false;
  await beginRemoval(repo, { kind, id }, signal);
  return true;
}

async function beginRemoval(
  repo: Repo,
  { kind, id }: Pick<JudgedBackup, "kind" | "id">,
  signal: AbortSignal,
): Promise<void> {
  const text = `${JSON.stringify({ format: 1, atMs: Date.now() })}\n`;
  await repo.put(expiredKey(kind, id), bytesOf(text), {}, signal);
}

/** The mark goes last: as long as anything is there, it says what that is. */
async function removeBackup(
  repo: Repo,
  { kind, id }: JudgedBackup,
  { folders, beside }: Look,
  signal: AbortSignal,
): Promise<void> {
  const record = `${kind}/${id}/backup.json`;
  const lastly = new Set([record, expiredKey(kind, id)]);
  const objects = (folders.get(id) ?? []).filter(({ key }) => !lastly.has(key));
  await removeAll(repo, [...objects, ...(beside.get(id) ?? [])], signal);
  await repo.remove(record, signal);
  await repo.remove(expiredKey(kind, id), signal);
}

async function removeAll(
  repo: Repo,
  objects: readonly StoredObject[],
  signal: AbortSignal,
): Promise<void> {
  for (let at = 0; at < objects.length; at += AT_ONCE) {
    const some = objects.slice(at, at + AT_ONCE);
    await Promise.all(some.map(({ key }) => repo.remove(key, signal)));
  }
}

/** The oldest first, whatever its timeline. */
function spentWal({ wal }: Look, { walFloor }: ExpiryPlan): readonly StoredObject[] {
  if (walFloor === undefined) return [];
  const spent = wal.filter(({ name }) => isBelow(name, walFloor));
  const place = (name: string): string => name.slice(8, 24) + name.slice(0, 8);
  return spent
    .toSorted((a, b) => (place(a.name) < place(b.name) ? -1 : 1))
    .map(({ object }) => object);
}

const tailsOf = (look: Look, { walFloor }: ExpiryPlan): readonly StoredObject[] =>
  spentTails(look, (segment) => walFloor !== undefined && isBelow(segment, walFloor));

/** Of readers that died. */
const staleNotes = ({ beside }: Look, nowMs: number): readonly StoredObject[] =>
  [...beside.values()]
    .flat()
    .filter(({ key }) => key.startsWith(IN_USE_PREFIX))
    .filter(({ storedAtMs }) => nowMs - storedAtMs > STALE_MS);

function reportOf(
  { name }: Repo,
  state: "planned" | "done",
  look: Look,
  plan: ExpiryPlan,
): RepositoryExpiry {
  const wal = amountOf(spentWal(look, plan));
  const tails = amountOf(tailsOf(look, plan));
  const ofBackups = plan.backups
    .filter(({ fate }) => fate === "goes")
    .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return {
    repository: name,
    state,
    backups: plan.backups.toSorted((a, b) => (a.id < b.id ? 1 : -1)),
    wal: { ...wal, because: plan.walBecause },
    tails,
    bytes: ofBackups + wal.bytes + tails.bytes,
  };
}

const amountOf = (objects: readonly StoredObject[]): Removed => ({
  files: objects.length,
  bytes: objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
});
