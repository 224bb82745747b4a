// Does the house speak its own language, and only that?
import { basename } from "node:path";
import { describe, expect, it } from "vitest";
import { BANNED_NAMES, BANNED_WORDS, EXCEPTION, OLD_WORDS_LIVE_IN } from "./budgets.ts";
import { type SourceFile, sourceFiles, textFiles, textOf } from "./tree.ts";

const source = sourceFiles("src");
const all = [...source, ...sourceFiles("test"), ...sourceFiles("scenarios")];

/** The places where `pattern` is found, save on lines that say why they are exceptions. */
function places(
  file: { path: string; lines: readonly string[] },
  pattern: RegExp,
  seen = file.lines,
) {
  return seen.flatMap((line, index) => {
    if (!pattern.test(line)) return [];
    const allowed = [file.lines[index], file.lines[index - 1]].some((at) =>
      EXCEPTION.test(at ?? ""),
    );
    return allowed ? [] : [`${file.path}:${index + 1} ${file.lines[index]?.trim()}`];
  });
}

/** Where code, not a comment or a string, has `pattern`. */
const inCode = (file: SourceFile, pattern: RegExp) =>
  places(file, pattern, file.codeOnly.split("\n"));

describe("words", () => {
  it("says primary and standby", () => {
    const wrong = source
      .filter(({ path }) => !path.startsWith(OLD_WORDS_LIVE_IN))
      .flatMap((file) => places(file, BANNED_WORDS, file.lines.map(splitWords)));
    expect(wrong).toEqual([]);
  });

  it("names files after what they hold", () => {
    const banned = new Set<string>(BANNED_NAMES);
    const wrong = all.filter(({ path }) => banned.has(basename(path).split(".")[0] ?? ""));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it("writes file names in kebab-case", () => {
    const wrong = all.filter(
      ({ path }) => !/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.test)?\.tsx?$/.test(basename(path)),
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it("has no default exports, enums, namespaces or decorators", () => {
    const banned =
      /^\s*(?:export\s+default\b|(?:export\s+)?(?:const\s+|declare\s+)*(?:enum|namespace)\s+\w|@\w+)/;
    expect(source.flatMap((file) => inCode(file, banned))).toEqual([]);
  });

  it("inherits from nothing but errors", () => {
    const banned = /\bclass\s+\w+(?:<[^>]*>)?\s+extends\s+(?!\w*Error\b)/;
    expect(source.flatMap((file) => inCode(file, banned))).toEqual([]);
  });

  it("keeps no changeable state in modules", () => {
    expect(source.flatMap((file) => inCode(file, /^(?:export\s+)?(?:let|var)\s/))).toEqual([]);
  });

  it("opens every file by saying what question it answers", () => {
    const silent = source.filter(({ isTest, text }) => !isTest && !/^(?:#!.*\n)?\/[/*]/.test(text));
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  it("names no folder of one person's machine", () => {
    const machine = /(?<![\w.~$}/-])\/(?:home|Users|root|work)\/\w/;
    const wrong = textFiles()
      .map((path) => ({ path, lines: textOf(path).split("\n") }))
      .flatMap((file) => places(file, machine));
    expect(wrong).toEqual([]);
  });
});

/** `isReplica` is two words. */
function splitWords(line: string): string {
  return line.replace(/([a-z0-9])([A-Z])/g, "$1 $2");
}
