// Does SPEC.md say what is there? Each invariant names its code, its checkers and its mutants, and each of those is named.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { MUTANTS } from "../../src/sim/mutants.ts";
import { root, sourceFiles, textOf } from "./tree.ts";

const CHECKERS = "src/sim/checkers";
/** The frame that checkers stand in. */
const NO_CHECKERS = ["all", "checker"];

interface Invariant {
  readonly rule: string;
  readonly keptIn: readonly string[];
  /** Words to look for in those files. */
  readonly words: readonly string[];
  /** Files of `src/sim/checkers`, without their ending. */
  readonly checkers: readonly string[];
  readonly tests: readonly string[];
  readonly mutants: readonly string[];
}

const spec = textOf("SPEC.md");
const invariants = spec
  .split("\n")
  .filter((line) => /^\| \*\*[SLT]\d+\*\* \|/.test(line) && line.split("|").length === 8)
  .map(invariantOf);

function invariantOf(line: string): Invariant {
  const [, rule = "", , , keptIn = "", checkers = "", mutants = ""] = line.split("|");
  const watchers = quoted(checkers);
  const places = quoted(keptIn);
  return {
    rule: rule.replaceAll("*", "").trim(),
    keptIn: places.filter((p) => p.includes("/")).flatMap(unfolded),
    words: places.filter((p) => !p.includes("/")),
    checkers: watchers.filter((name) => /^[a-z]+(?:-[a-z]+)+$|^alive$/.test(name)),
    tests: watchers.filter((name) => name.startsWith("test/")),
    mutants: quoted(mutants),
  };
}

/** `a/{b,c}.ts` is two paths. */
function unfolded(path: string): readonly string[] {
  const [, before = "", names = "", after = ""] = /^(.*)\{(.*)\}(.*)$/.exec(path) ?? [];
  return names === "" ? [path] : names.split(",").map((name) => `${before}${name}${after}`);
}

function quoted(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text ?? "");
}

/** Which rules each checker speaks for: what its calls of `violate` say. */
const spokenFor = new Map(
  sourceFiles(CHECKERS).map(({ path, text }) => [
    path.slice(CHECKERS.length + 1, -".ts".length),
    [...text.matchAll(/violate\(\s*"(\w+)"/g)].map(([, rule]) => rule ?? ""),
  ]),
);

it("names for every invariant code, a watcher and a mutant, all of which exist", () => {
  expect(invariants.length).toBeGreaterThanOrEqual(20);
  const places = invariants.flatMap(({ keptIn, tests }) => [
    ...keptIn.map((path) => `src/${path}`),
    ...tests,
  ]);
  expect(places.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  for (const { keptIn, words } of invariants.filter((i) => i.words.length > 0)) {
    const code = keptIn.map((path) => textOf(`src/${path}`)).join("");
    expect(words.filter((word) => !code.includes(word))).toEqual([]);
  }
  const bare = invariants.filter(
    ({ keptIn, checkers, tests, mutants }) =>
      keptIn.length === 0 || checkers.length + tests.length === 0 || mutants.length === 0,
  );
  expect(bare.map(({ rule }) => rule)).toEqual([]);
});

it("names every checker at the rules it speaks for, and no other", () => {
  const files = readdirSync(join(root, CHECKERS)).map((file) => file.replace(/\.ts$/, ""));
  const named = new Set(invariants.flatMap(({ checkers }) => checkers));
  expect([...named].toSorted()).toEqual(files.filter((f) => !NO_CHECKERS.includes(f)).toSorted());
  for (const [checker, rules] of spokenFor) {
    for (const rule of rules) {
      const row = invariants.find((i) => i.rule === rule);
      expect(row?.checkers, `${checker} speaks for ${rule}`).toContain(checker);
    }
  }
});

it("names every mutant at the rules it breaks, beside a checker that hears it", () => {
  const named = new Set(invariants.flatMap(({ mutants }) => mutants));
  expect([...named].toSorted()).toEqual(MUTANTS.map(({ name }) => name).toSorted());
  for (const { name, breaks } of MUTANTS) {
    for (const rule of breaks) {
      expect(invariants.find((i) => i.rule === rule)?.mutants, `${name} breaks ${rule}`).toContain(
        name,
      );
    }
    for (const { rule, mutants, checkers } of invariants) {
      if (!mutants.includes(name)) continue;
      const heard = checkers.flatMap((checker) => spokenFor.get(checker) ?? []);
      expect(
        heard.some((said) => breaks.includes(said)),
        `${name} at ${rule} is heard by a checker of that row`,
      ).toBe(true);
    }
  }
});

it("knows every rule that the code cites", () => {
  const rules = new Set([...spec.matchAll(/\bR\d+\b/g)].map(([rule]) => rule));
  const ranges = [...spec.matchAll(/R(\d+)-R(\d+)/g)];
  for (const [, from, to] of ranges) {
    for (let n = Number(from); n <= Number(to); n++) rules.add(`R${n}`);
  }
  const cited = sourceFiles("src").flatMap(({ text }) => text.match(/\bR\d{1,2}\b/g) ?? []);
  expect([...new Set(cited)].filter((rule) => !rules.has(rule))).toEqual([]);
});
