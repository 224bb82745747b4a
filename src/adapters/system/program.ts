// Where is a program that an administrator has installed, and as whom does it run when we are root?
import { accessSync, constants } from "node:fs";
import { basename, join } from "node:path";
import { AppError } from "../../model/error.ts";
import { findOsUser, isRoot, type OsUser } from "./os-user.ts";

/** Where administration programs live, which the PATH of a service often lacks. */
const ADMIN_FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/sbin"] as const;

/** The path of a program that is given by its path or its name. Throws PROGRAM_MISSING. */
export function findInstalled(bin: string): string {
  const inPath = (process.env["PATH"] ?? "").split(":").filter((folder) => folder.startsWith("/"));
  const candidates = bin.includes("/")
    ? [bin]
    : [...inPath, ...ADMIN_FOLDERS].map((folder) => join(folder, bin));
  const found = candidates.find(canRun);
  if (found !== undefined) return found;
  const why = bin.includes("/")
    ? `there is no ${bin}`
    : `${bin} is neither in PATH nor in /usr/sbin`;
  throw new AppError("PROGRAM_MISSING", `looking for ${basename(bin)}`, why);
}

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The first of these users that this host has, else `nobody`; undefined when we are not root and stay who we are. */
export function unprivileged(...names: readonly string[]): OsUser | undefined {
  if (!isRoot()) return undefined;
  for (const name of names) {
    try {
      return findOsUser(name);
    } catch {
      // The next one.
    }
  }
  return findOsUser("nobody");
}
