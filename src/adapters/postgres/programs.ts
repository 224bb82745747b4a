// Where are PostgreSQL's programs, and do they fit the data?
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../model/error.ts";
import type { NodeSettings } from "../../model/settings.ts";
import { run } from "../system/spawn.ts";
import { canExecute, isAbsent, namesIn } from "./files.ts";
import type { Place } from "./place.ts";

/** Where distributions keep one folder for each major version. */
const VERSIONED = [
  { root: "/usr/lib/postgresql", folder: (major: string) => `/usr/lib/postgresql/${major}/bin` },
  { root: "/usr", folder: (major: string) => `/usr/pgsql-${major}/bin` },
];
const VERSION_LIMIT_MS = 10_000;

/** The major version of the data; undefined when there is none. */
export async function dataMajor(dataDir: string): Promise<number | undefined> {
  const text = await readFile(join(dataDir, "PG_VERSION"), "utf8").catch(isAbsent);
  const major = Number.parseInt(text ?? "", 10);
  return Number.isNaN(major) ? undefined : major;
}

/** What says which version is the right one, and where its programs may be. */
interface ProgramPlace {
  readonly dataDir: string;
  readonly settings: { readonly postgres: Pick<NodeSettings["postgres"], "binDir" | "binNames"> };
}

/** The path of a program of the right version, or PG_NO_TOOL. */
export async function findProgram(place: ProgramPlace, name: string): Promise<string> {
  const major = await dataMajor(place.dataDir);
  const { binDir, binNames } = place.settings.postgres;
  const folder = await findBinDir(binDir, major);
  const path = join(folder ?? "", binNames[name] ?? name);
  if (folder !== undefined && (await canExecute(path))) return path;
  const where = folder ?? "in /usr/lib/postgresql, /usr/pgsql-* or PATH";
  throw new AppError("PG_NO_TOOL", `looking for ${name}`, `not found ${where}`);
}

/** As findProgram, but absence is an answer: the tool is a convenience. */
export const findOptional = (place: Place, name: string): Promise<string | undefined> =>
  findProgram(place, name).catch(() => undefined);

export async function findBinDir(
  configured: string,
  major: number | undefined,
): Promise<string | undefined> {
  if (configured !== "") return configured;
  const majors = major === undefined ? await installedMajors() : [major];
  const inPath = (process.env["PATH"] ?? "").split(":").filter((folder) => folder.startsWith("/"));
  const folders = [
    ...majors.flatMap((one) => VERSIONED.map(({ folder }) => folder(String(one)))),
    ...inPath,
  ];
  for (const folder of folders) {
    if (await canExecute(join(folder, "postgres"))) return folder;
  }
  return undefined;
}

/** Newest first. */
async function installedMajors(): Promise<readonly number[]> {
  const found = new Set<number>();
  for (const { root } of VERSIONED) {
    for (const name of await namesIn(root)) {
      const major = /^(?:pgsql-)?(\d+)$/.exec(name)?.[1];
      if (major !== undefined) found.add(Number(major));
    }
  }
  return [...found].toSorted((a, b) => b - a);
}

/** What identifies the installed program: it changes when a package is upgraded. */
async function programIdentity(path: string): Promise<string> {
  const { dev, ino, size, mtimeMs } = await stat(path);
  return `${path} ${dev}:${ino}:${size}:${mtimeMs}`;
}

/** Refuses programs of another major version than the data. Answers the major version. */
export async function checkVersion(place: Place): Promise<number> {
  const program = await findProgram(place, "postgres");
  const [data, installed] = await Promise.all([
    dataMajor(place.dataDir),
    programMajor(place, program),
  ]);
  if (data !== undefined && data !== installed) {
    throw new AppError(
      "PG_VERSION_MISMATCH",
      `using ${place.dataDir} with ${program}`,
      `the data is of version ${data}, the program of ${installed}`,
    );
  }
  return installed;
}

async function programMajor(place: Place, program: string): Promise<number> {
  const identity = await programIdentity(program);
  const known = place.majors.get(identity);
  if (known !== undefined) return known;
  const { stdout } = await run({
    program,
    args: ["--version"],
    user: place.user,
    timeoutMs: VERSION_LIMIT_MS,
  });
  const major = Number(/(\d+)(?:\.\d+|devel|beta\d+|rc\d+)/.exec(stdout)?.[1]);
  if (Number.isNaN(major)) {
    throw new AppError("PG_NO_TOOL", `asking ${program} for its version`, stdout.trim());
  }
  place.majors.set(identity, major);
  return major;
}

/**
 * A command that ends with us: a clone or rewind that outlives its agent would go on writing while the next one
 * begins again. Where `setpriv` is missing it runs as it is.
 */
export async function tied(
  program: string,
  args: readonly string[],
  how: "TERM" | "QUIT" = "TERM",
): Promise<{ readonly program: string; readonly args: readonly string[] }> {
  const setpriv = "/usr/bin/setpriv";
  if (!(await canExecute(setpriv))) return { program, args };
  return { program: setpriv, args: ["--pdeathsig", how, program, ...args] };
}

/** The last lines of what a program said, for people. */
export const lastWords = (text: string, lines = 4): string =>
  text
    .trim()
    .split(/[\r\n]+/)
    .slice(-lines)
    .join(" | ");
