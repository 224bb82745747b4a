// Do the tidy tests see what they look for? A reader that misses an import would let anything pass.
import { describe, expect, it } from "vitest";
import { bare, importsOf } from "./source.ts";

describe("reading source", () => {
  it("finds every kind of import and its line", () => {
    const text = [
      'import { type A, b } from "./a.ts";',
      'import type { C } from "../c.ts"; // import "./comment.ts"',
      'export { d } from "d";',
      'import "./effect.ts";',
      "import {",
      "  e,",
      '} from "node:e";',
      'const late = await import("./late.ts");',
    ].join("\n");
    expect(importsOf(bare(text))).toEqual([
      { from: "./a.ts", typeOnly: false, line: 1 },
      { from: "../c.ts", typeOnly: true, line: 2 },
      { from: "d", typeOnly: false, line: 3 },
      { from: "./effect.ts", typeOnly: false, line: 4 },
      { from: "node:e", typeOnly: false, line: 5 },
      { from: "./late.ts", typeOnly: false, line: 8 },
    ]);
  });

  it("blanks comments and strings but sees the code inside a template", () => {
    const code = (text: string): string => bare(text).codeOnly.replace(/\s+/g, " ").trim();
    expect(code("a(); // Date.now()")).toBe("a();");
    expect(code('a("Date"); /* Date */ b("\\"Date");')).toBe('a(" "); b(" ");');
    expect(code("`Date ${Date.now()} Date ${`${x}`}`;")).toBe("` ${Date.now()} ${`${x}`}`;");
    expect(code("x = /[\"'`/]/.test(y) ? Date : 1 / 2;")).toBe(
      "x = /[\"'`/]/.test(y) ? Date : 1 / 2;",
    );
  });
});
