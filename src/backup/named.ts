// Which repositories does the node's file name, and which private keys?
import { readFile } from "node:fs/promises";
import { AppError, asAppError } from "../model/error.ts";
import { didYouMean } from "../model/nearest.ts";
import type { BackupSettings, RepositorySettings } from "../model/repository.ts";
import type { NodeSettings } from "../model/settings.ts";

/** The section `backup`. Throws NOT_POSSIBLE when the file has none. */
export function backupOf({ backup }: NodeSettings): BackupSettings {
  if (backup !== undefined) return backup;
  throw new AppError("NOT_POSSIBLE", "using a repository", "the node's file has no section backup");
}

/** The one of that name, or all of them; NOT_POSSIBLE when there is none of that name. */
export function repositoriesOf(
  { repositories }: BackupSettings,
  name: string | undefined,
): readonly [RepositorySettings, ...RepositorySettings[]] {
  const [first, ...more] = repositories.filter((one) => name === undefined || one.name === name);
  if (first !== undefined) return [first, ...more];
  const names = repositories.map((one) => one.name);
  const why = `there is no repository ${name}${didYouMean(name ?? "", names)}; there are ${names.join(", ")}`;
  throw new AppError("NOT_POSSIBLE", "choosing a repository", why);
}

/** The private keys of a file as `age-keygen` writes it, or of the node's own; none where neither is named. */
export async function identitiesOf(
  { identityFile }: BackupSettings,
  named: string | undefined,
): Promise<readonly string[]> {
  const file = named ?? identityFile;
  if (file === undefined) return [];
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw asAppError(error, "REPO_KEY_WRONG", `reading ${file}`);
  });
  const lines = text.split("\n").map((line) => line.trim());
  return lines.filter((line) => line.startsWith("AGE-SECRET-KEY-"));
}
