// Reading source text without a compiler: where the code is, where only comments and strings are.

/**
 * The text with comments blanked out, and with the inside of strings blanked out as well. Both keep
 * every line break, so that line numbers still hold.
 */
export interface Bare {
  readonly withoutComments: string;
  readonly codeOnly: string;
}

type Mode = "code" | "line" | "block" | "'" | '"' | "`";

/** A regular expression literal, whose quotes open no string, and what may stand right before one. */
const REGEXP =
  /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])*\//y;
const BEFORE_REGEXP = /(?:[(,=:[!&|?{};+~<>%^*]|\breturn|^)\s*$/;

/** One pass over the characters. */
export function bare(text: string): Bare {
  const withoutComments: string[] = [];
  const codeOnly: string[] = [];
  // A template literal returns to itself after each `${…}`; `depths` counts the braces on the way.
  const depths: number[] = [];
  let mode: Mode = "code";
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? "";
    const pair = char + (text[at + 1] ?? "");
    const literal: number = mode === "code" && char === "/" ? regexpAt(text, at) : 0;
    const next: Step =
      literal > 0 ? { mode, width: literal } : follow(mode, { char, pair, depths });
    const width = next.width;
    const piece = text.slice(at, at + width);
    const isComment =
      mode === "line" || mode === "block" || next.mode === "line" || next.mode === "block";
    const isString = mode !== "code" && next.mode === mode;
    withoutComments.push(isComment ? blank(piece) : piece);
    codeOnly.push(isComment || isString ? blank(piece) : piece);
    mode = next.mode;
    at += width - 1;
  }
  return { withoutComments: withoutComments.join(""), codeOnly: codeOnly.join("") };
}

/** How long the regular expression literal at `at` is; 0 when this slash is a division or a comment. */
function regexpAt(text: string, at: number): number {
  if (!BEFORE_REGEXP.test(text.slice(Math.max(0, at - 40), at))) return 0;
  REGEXP.lastIndex = at;
  return REGEXP.exec(text)?.[0].length ?? 0;
}

const blank = (piece: string): string => piece.replace(/[^\n]/g, " ");

interface Step {
  readonly mode: Mode;
  readonly width: number;
}

interface Here {
  readonly char: string;
  readonly pair: string;
  readonly depths: number[];
}

function follow(mode: Mode, here: Here): Step {
  switch (mode) {
    case "code":
      return followCode(here);
    case "line":
      return { mode: here.char === "\n" ? "code" : "line", width: 1 };
    case "block":
      return here.pair === "*/" ? { mode: "code", width: 2 } : { mode: "block", width: 1 };
    case "`":
      if (here.pair === "${") {
        here.depths.push(0);
        return { mode: "code", width: 2 };
      }
      return followString(mode, here);
    case "'":
    case '"':
      return followString(mode, here);
    default:
      return mode satisfies never;
  }
}

function followString(mode: Mode, { char }: Here): Step {
  if (char === "\\") return { mode, width: 2 };
  return { mode: char === mode ? "code" : mode, width: 1 };
}

function followCode({ char, pair, depths }: Here): Step {
  if (pair === "//") return { mode: "line", width: 2 };
  if (pair === "/*") return { mode: "block", width: 2 };
  if (char === "'" || char === '"' || char === "`") return { mode: char, width: 1 };
  const depth = depths.at(-1);
  if (depth !== undefined && char === "{") depths[depths.length - 1] = depth + 1;
  if (depth !== undefined && char === "}") {
    if (depth === 0) {
      depths.pop();
      return { mode: "`", width: 1 };
    }
    depths[depths.length - 1] = depth - 1;
  }
  return { mode: "code", width: 1 };
}

export interface Import {
  readonly from: string;
  readonly typeOnly: boolean;
  readonly line: number;
}

const STATIC =
  /^[ \t]*(?:import|export)\s+(type\s)?(?:[\w\s{},*$]*?\sfrom\s+)?["']([^"'\n]+)["']/gm;
const DYNAMIC = /\bimport\(\s*["']([^"'\n]+)["']/g;

/** Every module a file names, in `import`, in `export … from`, and in `import(…)`. */
export function importsOf({ withoutComments }: Bare): readonly Import[] {
  const lineAt = (index: number): number => withoutComments.slice(0, index).split("\n").length;
  const fixed = [...withoutComments.matchAll(STATIC)].map((found) => ({
    from: found[2] ?? "",
    typeOnly: found[1] !== undefined,
    line: lineAt(found.index),
  }));
  const late = [...withoutComments.matchAll(DYNAMIC)].map((found) => ({
    from: found[1] ?? "",
    typeOnly: false,
    line: lineAt(found.index),
  }));
  return [...fixed, ...late];
}
