// Which files does the house have? One walk, shared by all tidy tests.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Bare, bare, type Import, importsOf } from "./source.ts";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

const NOT_OURS = new Set(["node_modules", "dist", ".git", ".cache", "coverage"]);
const TEXT = /(?:\.(?:ts|tsx|mjs|json|md|sh|yml|yaml|txt|css|html)|\/run|\.npmrc|\.gitignore)$/;

export interface SourceFile extends Bare {
  /** From the root of the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
  readonly imports: readonly Import[];
  readonly isTest: boolean;
}

/** All text files below `folder`; none when the folder does not exist yet. */
export function textFiles(folder = "."): readonly string[] {
  const start = join(root, folder);
  if (statSync(start, { throwIfNoEntry: false }) === undefined) return [];
  return readdirSync(start, { withFileTypes: true })
    .filter(({ name }) => !NOT_OURS.has(name))
    .flatMap((entry) => {
      const path = relative(root, join(start, entry.name));
      return entry.isDirectory() ? textFiles(path) : [path];
    })
    .filter((path) => TEXT.test(path))
    .toSorted();
}

export const textOf = (path: string): string => readFileSync(join(root, path), "utf8");

/** All TypeScript below `folder`, read and taken apart. */
export function sourceFiles(folder: string): readonly SourceFile[] {
  return textFiles(folder)
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => {
      const text = textOf(path);
      const split = bare(text);
      return {
        ...split,
        path,
        text,
        lines: text.trimEnd().split("\n"),
        imports: importsOf(split),
        isTest: path.endsWith(".test.ts") || path.startsWith("test/"),
      };
    });
}

/** The file that a relative import means, from the root; undefined for a package or a `node:` module. */
export function target(file: SourceFile, from: string): string | undefined {
  if (!from.startsWith(".")) return undefined;
  return relative(root, resolve(root, dirname(file.path), from));
}
