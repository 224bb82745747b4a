import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Book, countOf } from "./book.ts";
import { soakText } from "./report.ts";
import type { RoundReport } from "./soak.ts";

const round = (mode: RoundReport["mode"], kind: string, more: Partial<RoundReport> = {}) => ({
  mode,
  kind,
  node: "n1",
  forMs: 1_000,
  failovers: 1,
  pauseMs: 400,
  acknowledged: 10,
  lost: 0,
  broken: [],
  refused: undefined,
  ...more,
});

describe("the book of a soak", () => {
  let dir = "";
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "understudy-book-"));
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  it("keeps the rounds of several runs, also of two at the same time", () => {
    const file = join(dir, "book");
    expect(new Book(file).rounds()).toEqual([]);
    const [first, second] = [new Book(file), new Book(file)];
    first.add(round("on", "killHost"));
    second.add(round("quorum", "killHost"));
    first.add(round("on", "killHost", { failovers: 2 }));
    expect(second.rounds()).toHaveLength(3);
    expect(countOf(new Book(file).rounds(), { mode: "on", kind: "killHost" })).toEqual({
      rounds: 2,
      failovers: 3,
    });
  });

  it("counts the own run alone without a file", () => {
    const book = new Book(undefined);
    book.add(round("on", "killHost"));
    expect(book.rounds()).toHaveLength(1);
  });
});

describe("the verdict", () => {
  const rounds = [
    round("on", "killHost"),
    round("quorum", "killHost", { failovers: 0 }),
    round("on", "killHost", { pauseMs: 800 }),
  ];

  it("counts by mode and kind, and names what is missing", () => {
    const text = soakText({ rounds, broken: [], wanted: 2 }, "again");
    expect(text).toContain("| on | killHost | 2 | 2 | 0.60 s / 0.80 s | 0 | 0 |");
    expect(text).toContain("HELD: 3 faults, 2 failovers, 30 rows acknowledged, 0 lost");
    expect(text).toContain("Fewer than 2 failovers so far: quorum killHost 0");
  });

  it("does not hold when a promise was broken", () => {
    const text = soakText({ rounds, broken: ["n1 and n2"], wanted: undefined }, "again");
    expect(text).toContain("BROKEN  n1 and n2");
    expect(text).not.toContain("HELD");
  });
});
