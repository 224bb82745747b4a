import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { lineDiff, patchBetween, patchOf } from "./config-patch.ts";
import { table } from "./table.ts";
import { wrap } from "./terminal.ts";

interface Row {
  readonly name: string;
  readonly lag: string;
}

const columns = [
  { title: "NAME", cell: (r: Row) => r.name },
  { title: "LAG", cell: (r: Row) => r.lag, right: true, leaves: 1 },
];
const rows = [
  { name: "n1", lag: "" },
  { name: "a-long-name", lag: "16 kB" },
];
// Colours are for terminals; where they are on, they do not count.
const bare = stripVTControlCharacters;

describe("a table", () => {
  it("aligns, and has no empty cell", () => {
    expect(bare(table(columns, rows, 80)).split("\n")).toEqual([
      "NAME           LAG",
      "n1             n/a",
      "a-long-name  16 kB",
    ]);
  });

  it("drops columns rather than wrap", () => {
    expect(bare(table(columns, rows, 12)).split("\n")).toEqual(["NAME", "n1", "a-long-name"]);
  });
});

it("wraps sentences at spaces", () => {
  expect(wrap("one two three", 7)).toBe("one two\nthree");
});

describe("a patch", () => {
  it("is made of assignments", () => {
    expect(patchOf(["ttl=20", "postgresql.parameters.work_mem=64MB", "postgresql.x=null"])).toEqual(
      {
        ttl: 20,
        postgresql: { parameters: { work_mem: "64MB" }, x: null },
      },
    );
    expect(() => patchOf(["ttl"])).toThrow("is not setting=value");
  });

  it("leads from one configuration to the other", () => {
    const before = { a: 1, b: { c: 2, d: 3 }, e: [1] };
    const after = { a: 1, b: { c: 4 }, e: [1, 2], f: true };
    expect(patchBetween(before, after)).toEqual({ b: { c: 4, d: null }, e: [1, 2], f: true });
    expect(patchBetween(before, before)).toEqual({});
  });

  it("is shown as lines that go and come", () => {
    expect(lineDiff("a\nb\n", "a\nc\n")).toBe("- b\n+ c");
  });
});
