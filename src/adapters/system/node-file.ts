// What does a node's file say here? It may be a folder of files; and variables and the working directory count as well.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import { AppError } from "../../model/error.ts";
import type { Around } from "../../model/settings-file.ts";
import { mergedYaml } from "../../model/settings-folder.ts";

/**
 * Stands for a file where there is none: PATRONI_CONFIGURATION holds the whole text, or the other variables say it all. The
 * first wins over them, as with Patroni.
 */
export const ENVIRONMENT = "environment";
const WHOLE = "PATRONI_CONFIGURATION";

/** Do variables name a node, so that it needs no file? */
export const isInEnvironment = (): boolean =>
  process.env[WHOLE] !== undefined || process.env["PATRONI_SCOPE"] !== undefined;

/** The name under which other programs of ours find the same. */
export const wholeName = (path: string): string => (path === ENVIRONMENT ? path : resolve(path));

/**
 * The text of a file; of a folder, what its files say together, as Patroni reads one. Throws CONFIG_NOT_FOUND naming what
 * cannot be read, CONFIG_INVALID for a file of a folder that is no map of settings.
 */
export function readNodeText(path: string): string {
  if (path === ENVIRONMENT) return process.env[WHOLE] ?? "";
  const names = filesAt(path);
  const [only, ...more] = names;
  if (only !== undefined && more.length === 0) return textOf(only);
  return stringify(mergedYaml(names.map((name) => ({ name, text: textOf(name) }))));
}

function filesAt(path: string): readonly string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path).filter((name) => /\.ya?ml$/.test(name));
    if (names.length > 0) return names.toSorted().map((name) => join(path, name));
  } catch (error) {
    throw unreadable(path, error);
  }
  throw new AppError("CONFIG_NOT_FOUND", `reading ${path}`, "no *.yml or *.yaml is in it");
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw unreadable(path, error);
  }
}

const unreadable = (path: string, error: unknown): AppError =>
  new AppError(
    "CONFIG_NOT_FOUND",
    `reading ${path}`,
    error instanceof Error ? error.message : String(error),
    error,
  );

/** Of this process: workers and the command line are started with the agent's, so that a file means one thing. */
export const aroundHere = (path: string): Around => ({
  environment: path === ENVIRONMENT && process.env[WHOLE] !== undefined ? {} : process.env,
  folder: workingDirectory(),
});

/** It may have been removed under us; then only whole names mean anything. */
function workingDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return "/";
  }
}
