// How are proofs kept, and which of them are to be believed? As objects of the repository, each with its signature.

import {
  type DrillProof,
  nameOfProof,
  type ProofName,
  parseProof,
  printProof,
  proofNameIn,
  type ReadProof,
  type Signature,
} from "../model/drill.ts";
import { AppError } from "../model/error.ts";
import { proofKey, signatureKey, signerKey } from "../model/repo-keys.ts";
import type { Repo } from "../ports/repo.ts";
import { bytesOf, wholeOf } from "./bytes.ts";
import type { Shelf } from "./shelf.ts";
import { isSigned, type Signer } from "./signing.ts";

/** The proof is written last: whoever finds one finds its signature too. */
export async function keepProof(
  repo: Repo,
  { proof, signer }: { readonly proof: DrillProof; readonly signer: Signer },
  signal: AbortSignal,
): Promise<void> {
  const text = printProof(proof);
  const name = nameOfProof(proof);
  const signature = signer.sign(text);
  const raw = async function* () {
    yield signature;
  };
  const puts = [
    [signerKey(signer.name), bytesOf(signer.publicPem)],
    [signatureKey(name), raw()],
    [proofKey(name), bytesOf(text)],
  ] as const;
  for (const [key, content] of puts) {
    const { kind } = await repo.put(key, content, {}, signal);
    if (kind === "exists-different") {
      throw new AppError(
        "REPO_CONFLICT",
        "keeping the proof of a drill",
        `${key} is there already`,
      );
    }
  }
}

export interface ProofReading {
  readonly shelf: Pick<Shelf, "repo" | "systemId" | "signers" | "ownSigner">;
  readonly signal: AbortSignal;
}

/** The newest so many, the newest first. */
export async function readProofs(
  reading: ProofReading,
  most: number,
): Promise<readonly ReadProof[]> {
  const found = await namesIn(reading);
  const proofs: ReadProof[] = [];
  for (const one of found.slice(0, most)) proofs.push(await readOne(reading, one));
  return proofs;
}

/** How many drills are asked what they say of the backups that are there. */
const MOST_ASKED = 10;

/** What the last drills proved of this very repository, the newest first: nothing that is not to be believed. */
export async function readDrills(
  shelf: ProofReading["shelf"],
  signal: AbortSignal,
): Promise<readonly DrillProof[]> {
  const proofs = await readProofs({ shelf, signal }, MOST_ASKED);
  // A proof that was copied along with a repository speaks of the one that it was made from.
  return proofs.flatMap(({ proof }) => (proof?.repo === shelf.repo.name ? [proof] : []));
}

/** What the last drill of this backup proved; undefined when none of them was of it. */
export const lastOf = (drills: readonly DrillProof[], id: string): DrillProof | undefined =>
  drills.find(({ backup }) => backup.id === id);

/** The one of that id, or the newest. Throws DRILL_MISSING when there is none. */
export async function readProof(reading: ProofReading, id: string | undefined): Promise<ReadProof> {
  const found = await namesIn(reading);
  const [one] = found.filter(({ name }) => id === undefined || name.id === id);
  if (one !== undefined) return readOne(reading, one);
  const why = id === undefined ? "it holds none" : `it holds none named ${id}`;
  const attempt = `looking for a drill's proof in the repository ${reading.shelf.repo.name}`;
  throw new AppError("DRILL_MISSING", attempt, why);
}

interface Named {
  readonly key: string;
  readonly name: ProofName;
}

async function namesIn({ shelf, signal }: ProofReading): Promise<readonly Named[]> {
  const objects = await shelf.repo.list("proofs/", signal);
  const named = objects.flatMap(({ key }) => {
    const name = proofNameIn(key);
    return name === undefined ? [] : [{ key, name }];
  });
  return named.toSorted((a, b) => b.name.atMs - a.name.atMs || (a.name.id < b.name.id ? 1 : -1));
}

async function readOne(reading: ProofReading, { key, name }: Named): Promise<ReadProof> {
  const text = (await read(reading, key)).toString("utf8");
  const proof = parseProof(text);
  const bad = (why: string): ReadProof => ({ key, name, signature: { kind: "bad", why } });
  if (proof === undefined) return bad("it cannot be read");
  if (proofKey(nameOfProof(proof)) !== key) return bad("its name says something else than it does");
  if (proof.systemId !== reading.shelf.systemId) return bad("it is of another cluster");
  const signature = await judge(reading, { text, proof });
  return { key, name, signature, ...(signature.kind === "good" ? { proof } : {}) };
}

async function judge(
  reading: ProofReading,
  { text, proof }: { readonly text: string; readonly proof: DrillProof },
): Promise<Signature> {
  const { signers: named, ownSigner } = reading.shelf;
  const { signer } = proof;
  const bad = (why: string): Signature => ({ kind: "bad", why });
  const signature = await optional(reading, signatureKey(nameOfProof(proof)));
  if (signature === undefined) return bad("it has no signature");
  const own = await ownSigner();
  const isOwn = own?.name === signer;
  if (named.length > 0 && !named.includes(signer) && !isOwn) {
    return bad(`its key ${signer} is not one of backup.drill.signers`);
  }
  const pem = isOwn ? own.publicPem : (await optional(reading, signerKey(signer)))?.toString();
  if (pem === undefined) return bad(`the repository has no key ${signer}`);
  if (!isSigned(text, { name: signer, pem, signature })) {
    return bad("its signature does not fit: it is not what was signed");
  }
  if (isOwn) return { kind: "good", trust: "this member" };
  return { kind: "good", trust: named.length > 0 ? "named in the file" : "kept in the repository" };
}

async function optional(reading: ProofReading, key: string): Promise<Buffer | undefined> {
  try {
    return await read(reading, key);
  } catch (error) {
    if (error instanceof AppError && error.code === "REPO_MISSING") return undefined;
    throw error;
  }
}

const read = async ({ shelf, signal }: ProofReading, key: string): Promise<Buffer> =>
  wholeOf(await shelf.repo.get(key, signal));
