// Where are the programs that a lab is made of, and who runs them?
import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { AppError } from "../model/error.ts";

/** The agent, its fence and the lab's own relay, as bundles: beside this bundle, or in `dist` when run from the sources. */
export const BUNDLES = [
  "agent.mjs",
  "fence.mjs",
  "releaser.mjs",
  "doctor.mjs",
  "worker.mjs",
  "vault.mjs",
  "doctor.mjs",
  "lab.mjs",
] as const;

/** The folder that holds our bundles. */
export function bundleDir(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const folder = [here, join(here, "..", "..", "dist")].find((candidate) =>
    BUNDLES.every((bundle) => existsSync(join(candidate, bundle))),
  );
  if (folder !== undefined) return folder;
  throw new AppError("LAB_FAILED", "find the agent's bundle", "dist/agent.mjs is not built");
}

/** The folder of PostgreSQL's server programs: the newest installed version, or where PATH leads. */
export function postgresBinDir(): string {
  const versions = "/usr/lib/postgresql";
  const installed = existsSync(versions)
    ? readdirSync(versions)
        .filter((version) => /^\d+$/.test(version))
        .toSorted((a, b) => Number(b) - Number(a))
        .map((version) => join(versions, version, "bin"))
    : [];
  const folder = [...installed, ...pathFolders()].find((f) => isProgram(join(f, "postgres")));
  if (folder !== undefined) return folder;
  throw new AppError("PG_NO_TOOL", "find PostgreSQL", "no postgres program in PATH");
}

/** The path of a program in PATH or the folders of administration programs. */
export function requireProgram(name: string): string {
  const folder = pathFolders().find((f) => isProgram(join(f, name)));
  if (folder !== undefined) return join(folder, name);
  throw new AppError("LAB_FAILED", `find ${name}`, "it is not in PATH");
}

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** The unprivileged owner of the servers when we are root; undefined: we are ourselves unprivileged. */
export function serverAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((entry) => entry.startsWith("postgres:"));
  const [name, , uid, gid] = line?.split(":") ?? [];
  if (name === undefined) {
    throw new AppError("LAB_FAILED", "find the user postgres", "PostgreSQL never runs as root");
  }
  return { name, uid: Number(uid), gid: Number(gid) };
}

/** The folder on the way to `dir` that the account may not enter, if there is one; parts that are missing will be made. */
export function closedFolder(dir: string, account: Account): string | undefined {
  const folders = dir.split("/").map((_, i, parts) => parts.slice(0, i + 1).join("/") || "/");
  return folders.find((folder) => {
    const found = statSync(folder, { throwIfNoEntry: false });
    if (found === undefined || found.uid === account.uid) return false;
    const bit = found.gid === account.gid ? 0o010 : 0o001;
    return (found.mode & bit) === 0;
  });
}

const pathFolders = (): readonly string[] => [
  ...(process.env["PATH"] ?? "").split(":").filter((folder) => folder.startsWith("/")),
  "/usr/sbin",
  "/sbin",
];

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
