// What did the last reading of a base backup find? All that a list must show stands in the name of its proof.
import { proofKey } from "./repo-keys.ts";

export interface Verification {
  readonly atMs: number;
  /** `content`: read back, unpacked, compared with the manifest. `stored`: the stored bytes alone, for want of a key. */
  readonly depth: "content" | "stored";
  readonly outcome: "passed" | "failed";
}

const VERIFIED = /^proofs\/(\d+)-verify-(content|stored)-(passed|failed)-(.+)\.json$/;

/** The key under which the outcome is kept. */
export const verificationKey = (id: string, { atMs, depth, outcome }: Verification): string =>
  proofKey(`${atMs}-verify-${depth}-${outcome}-${id}`);

/** Of which backup it is, and what was found; undefined for another key. */
export function parseVerificationKey(
  key: string,
): (Verification & { readonly id: string }) | undefined {
  const [, at, depth, outcome, id = ""] = VERIFIED.exec(key) ?? [];
  if (depth !== "content" && depth !== "stored") return undefined;
  if (outcome !== "passed" && outcome !== "failed") return undefined;
  return { id, atMs: Number(at), depth, outcome };
}
