// What can this store do? Asked by doing it, with a small object of our own.
import { createHash, randomBytes } from "node:crypto";
import { asAppError } from "../../model/error.ts";
import type { Repo, RepoPowers } from "../../ports/repo.ts";

/**
 * Puts an object, tries to put another one over it, lists, reads and removes it. Whether the store refuses damaged bytes
 * is left to the adapter that knows how to find out.
 */
export async function probeByDoing(repo: Repo, signal: AbortSignal): Promise<RepoPowers> {
  const key = `probe/${randomBytes(8).toString("hex")}`;
  const mine = randomBytes(64);
  const problems: string[] = [];
  let createOnly = false;
  try {
    const first = await repo.put(key, one(mine), { sizeBytes: mine.length }, signal);
    if (first.kind !== "stored") problems.push(`a new object was answered with ${first.kind}`);
    const second = await repo.put(key, one(randomBytes(64)), {}, signal);
    createOnly = second.kind === "exists-different";
    if (!createOnly)
      problems.push("an object can be overwritten: use a store with conditional puts");
    const listed = await repo.list("probe/", signal);
    if (!listed.some((object) => object.key === key))
      problems.push("a new object is missing from the list");
    if (!(await hasBytes(repo, key, mine, signal))) problems.push("other bytes came back");
  } catch (error) {
    signal.throwIfAborted();
    problems.push(asAppError(error, "REPO_UNREACHABLE", "probing").message);
  } finally {
    await repo.remove(key, signal).catch((error: unknown) => {
      problems.push(`the probe's object ${key} stays: ${String(error)}`);
    });
  }
  return { createOnly, checksums: false, problems };
}

async function hasBytes(
  repo: Repo,
  key: string,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<boolean> {
  const hash = createHash("sha256");
  for await (const chunk of await repo.get(key, signal)) hash.update(chunk);
  return hash.digest("hex") === createHash("sha256").update(bytes).digest("hex");
}

async function* one(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
