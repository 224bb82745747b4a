// Is this manifest as the server wrote it?
import { createHash } from "node:crypto";
import { type BackupManifest, manifestSeal, parseManifest } from "../model/backup-manifest.ts";
import { AppError } from "../model/error.ts";

/** Parses it. Throws REPO_DAMAGED when its own checksum is another, or when it is none that we understand. */
export function manifestIn(text: string, attempt: string): BackupManifest {
  const seal = manifestSeal(text);
  const sum = seal && createHash("sha256").update(seal.covered).digest("hex");
  if (seal === undefined || sum !== seal.sha256) {
    throw new AppError("REPO_DAMAGED", attempt, "the manifest's own checksum is another");
  }
  const manifest = parseManifest(text);
  if (manifest !== undefined) return manifest;
  throw new AppError("REPO_DAMAGED", attempt, "the manifest is of a form that is not known");
}
