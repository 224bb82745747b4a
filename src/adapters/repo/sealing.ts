// How does a file get into a repository so that the same file twice is no conflict, and another one under its name is?
//
// Two packings of one file differ (another zstd, a fresh key of age), so it is the plain content that is compared: by the
// digest that the object tells in front, else read back.
import { AppError } from "../../model/error.ts";
import { endingOf, unpacked } from "../../model/repo-keys.ts";
import type { Packing } from "../../model/repository.ts";
import type { Repo } from "../../ports/repo.ts";
import { digestOfAge } from "./age.ts";
import { digestInFrame } from "./digest-frame.ts";
import { type PackOptions, unpack } from "./packing.ts";
import { tallyOf } from "./tally.ts";

export interface Sealing {
  readonly repo: Repo;
  /** Without the ending of the packing. */
  readonly name: string;
  /** The bytes of the object, as `pack` makes them. */
  readonly packed: (how: PackOptions) => AsyncIterable<Uint8Array>;
  /** SHA-256 of the plain content, in hex. */
  readonly digest: string;
  readonly packing: Omit<PackOptions, "digest">;
}

export interface Sealed {
  readonly key: string;
  readonly kind: "stored" | "exists-same";
}

/**
 * Puts a file packed; answers only when it is durable there. REPO_CONFLICT when another one lies under its name: nothing
 * is overwritten. All nodes of a cluster pack alike, so one file has one key.
 */
export async function seal(sealing: Sealing, signal: AbortSignal): Promise<Sealed> {
  const { repo, name, packed, digest, packing } = sealing;
  const key = name + endingOf(packingOf(packing));
  const put = await repo.put(key, packed({ ...packing, digest }), {}, signal);
  if (put.kind !== "exists-different") return { key, kind: put.kind };
  const theirs = await digestThere(repo, key, signal);
  if (theirs === digest) return { key, kind: "exists-same" };
  throw new AppError(
    "REPO_CONFLICT",
    `sealing ${name} in the repository ${repo.name}`,
    `ours has the SHA-256 ${digest.slice(0, 16)}…, the one there ${theirs?.slice(0, 16) ?? "an unknown one"}…`,
  );
}

/** SHA-256 of the plain content of an object, without a private key; undefined where only that could tell. */
export async function digestThere(
  repo: Repo,
  key: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { packing } = unpacked(key);
  const told = await digestTold(repo, key, signal);
  if (told !== undefined || packing.encrypted) return told;
  const object = await repo.get(key, signal);
  return (await tallyOf(unpack(object, { packing, identities: [] }, signal))).sha256;
}

/** The SHA-256 that an object tells of its plain content in front; undefined where it tells none. */
export async function digestTold(
  repo: Repo,
  key: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { packing } = unpacked(key);
  if (packing.encrypted) return digestOfAge(await repo.get(key, signal));
  return packing.compression === "zstd" ? digestInFrame(await repo.get(key, signal)) : undefined;
}

const packingOf = ({ compression, recipients }: Sealing["packing"]): Packing => ({
  compression,
  encrypted: recipients.length > 0,
});
