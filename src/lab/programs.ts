// Where are the programs that a lab is made of, and who runs them?
import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { AppError } from "../model/error.ts";

/** The build leaves it beside the bundles: the names of those that nodes run. */
const LIST = "node-bundles.json";

export interface Bundles {
  readonly folder: string;
  /** What nodes run, and the lab's own relay. */
  readonly names: readonly string[];
}

/** Our bundles: beside this one, or in `dist` when run from the sources. Throws LAB_FAILED when one is missing. */
export function requireBundles(): Bundles {
  const here = dirname(fileURLToPath(import.meta.url));
  for (const folder of [here, join(here, "..", "..", "dist")]) {
    const list = join(folder, LIST);
    if (!existsSync(list)) continue;
    const names = [...(JSON.parse(readFileSync(list, "utf8")) as string[]), "lab.mjs"];
    if (names.every((name) => existsSync(join(folder, name)))) return { folder, names };
  }
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
