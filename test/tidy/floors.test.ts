// Does every import go where the table of floors lets it go?
import { describe, expect, it } from "vitest";
import {
  BANNED_GLOBALS,
  BANNED_PROPERTIES,
  FLOORS,
  type Floor,
  IMPURE_IN_ROOM,
  PURE_REACH,
  PURE_ROOTS,
  STAGES,
  TESTS_MAY,
} from "./floors.ts";
import type { Import } from "./source.ts";
import { type SourceFile, sourceFiles, target, textOf } from "./tree.ts";

const files = sourceFiles("src");
const byPath = new Map(files.map((file) => [file.path, file]));

const inSrc = (path: string): string => path.replace(/^src\//, "");
const isWithin = (path: string, place: string): boolean =>
  path === place || path.startsWith(`${place}/`);

function floorOf(path: string): Floor | undefined {
  return FLOORS.filter((floor) => isWithin(inSrc(path), floor.path))
    .toSorted((a, b) => a.path.length - b.path.length)
    .at(-1);
}

/** The folder a file may use freely: its room where the floor has rooms, else its whole floor. */
function ownPlace(path: string, floor: Floor): string {
  if (!floor.rooms) return floor.path;
  const room =
    inSrc(path)
      .slice(floor.path.length + 1)
      .split("/")[0] ?? "";
  return `${floor.path}/${room}`;
}

/** Why this import must not be, or undefined. */
function objection(file: SourceFile, wanted: Import): string | undefined {
  const floor = floorOf(file.path);
  if (floor === undefined) return "the folder has no floor in test/tidy/floors.ts";
  const path = target(file, wanted.from);
  if (path === undefined) return packageObjection(file, floor, wanted.from);
  if (!path.startsWith("src/")) {
    const isSupport = file.isTest && path.startsWith("test/support/");
    const isStory =
      path.startsWith("scenarios/") && STAGES.some((stage) => floor.path.startsWith(stage));
    return isSupport || isStory ? undefined : "it lies outside src/";
  }
  if (!byPath.has(path)) return "there is no such file (imports name the .ts file)";
  const allowed = [ownPlace(file.path, floor), ...floor.may];
  if (file.isTest) allowed.push(...TESTS_MAY.paths);
  if (!allowed.some((place) => isWithin(inSrc(path), place))) {
    return `${floor.path} may import only ${allowed.join(", ")}`;
  }
  if (floor.typesOnly && !wanted.typeOnly && !file.isTest) return "only types, by `import type`";
  return undefined;
}

function packageObjection(file: SourceFile, floor: Floor, name: string): string | undefined {
  if (name.startsWith("node:")) {
    return floor.node || file.isTest ? undefined : `${floor.path} is free of node: modules`;
  }
  const packages = floor.packages ?? [];
  if (packages === "any") return undefined;
  const allowed = file.isTest ? [...packages, ...TESTS_MAY.packages] : packages;
  if (allowed.some((known) => isWithin(name, known))) return undefined;
  return `${floor.path} may use only these packages: ${allowed.join(", ") || "none"}`;
}

describe("floors", () => {
  it("lets every file import only what its floor allows", () => {
    const wrong = files.flatMap((file) =>
      file.imports.flatMap((wanted) => {
        const why = objection(file, wanted);
        return why === undefined
          ? []
          : [`${file.path}:${wanted.line} imports ${wanted.from}: ${why}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it("has a floor for every folder in src", () => {
    const homeless = files
      .filter(({ path }) => floorOf(path) === undefined)
      .map(({ path }) => path);
    expect(homeless).toEqual([]);
  });

  it("keeps everything that a decision can reach pure", () => {
    const wrong = files
      .filter(({ path }) => PURE_ROOTS.test(inSrc(path)))
      .flatMap((start) => impureReach(start));
    expect(wrong).toEqual([]);
  });

  it("has no cycles, not even of types", () => {
    expect(cycles()).toEqual([]);
  });

  it("has the linter keep clocks, dice and the process below the adapters", () => {
    const { overrides } = JSON.parse(textOf(".oxlintrc.json")) as LinterConfig;
    const rule = overrides.find(({ rules }) => "eslint/no-restricted-globals" in rules);
    const [, ...globals] = rule?.rules["eslint/no-restricted-globals"] ?? [];
    const [, ...properties] = rule?.rules["eslint/no-restricted-properties"] ?? [];
    const folders = FLOORS.filter(({ path, noGlobals }) => noGlobals && !path.endsWith(".ts"));
    expect(rule?.files).toEqual(folders.map(({ path }) => `src/${path}/**/*.ts`));
    expect(globals).toEqual(BANNED_GLOBALS);
    expect(properties.map((ban) => Object.values(ban as object).join("."))).toEqual(
      BANNED_PROPERTIES,
    );
  });
});

interface LinterConfig {
  readonly overrides: readonly {
    readonly files: readonly string[];
    readonly rules: Readonly<Record<string, readonly unknown[]>>;
  }[];
}

/** The ways from a pure file to one that is not, each written as the path that leads there. */
function impureReach(start: SourceFile): readonly string[] {
  const room = inSrc(start.path).split("/").slice(0, 2).join("/");
  const isPure = (path: string): boolean =>
    !IMPURE_IN_ROOM.test(path) &&
    [...PURE_REACH, room].some((place) => isWithin(inSrc(path), place));
  const wrong: string[] = [];
  const cameFrom = new Map([[start.path, start.path]]);
  const queue = [start];
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    for (const next of neighbours(file, { valuesOnly: true })) {
      if (cameFrom.has(next.path)) continue;
      const way = `${cameFrom.get(file.path)} → ${next.path}`;
      cameFrom.set(next.path, way);
      if (isPure(next.path)) queue.push(next);
      else wrong.push(way);
    }
  }
  return wrong;
}

function neighbours(file: SourceFile, { valuesOnly = false } = {}): readonly SourceFile[] {
  return file.imports.flatMap(({ from, typeOnly }) => {
    if (valuesOnly && typeOnly) return [];
    const found = byPath.get(target(file, from) ?? "");
    return found === undefined ? [] : [found];
  });
}

/** Depth first; a file met again while it is still open closes a cycle. */
function cycles(): readonly string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: SourceFile, open: readonly string[]): void => {
    const met = open.indexOf(file.path);
    if (met >= 0) found.push([...open.slice(met), file.path].join(" → "));
    if (met >= 0 || done.has(file.path)) return;
    for (const next of neighbours(file)) visit(next, [...open, file.path]);
    done.add(file.path);
  };
  for (const file of files) visit(file, []);
  return found;
}
