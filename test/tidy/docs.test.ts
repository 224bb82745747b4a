// Do the docs and the tables say the same? Every reason and every error code has an entry in its
// reference page, and no page speaks of one that is gone.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root, textOf } from "./tree.ts";

/** A table in the code, and the page where people look it up. */
const agreements = [
  {
    what: "reason",
    module: "src/model/reason.ts",
    table: "ALL_REASONS",
    page: "docs/reference/reasons.md",
  },
  {
    what: "error code",
    module: "src/model/error.ts",
    table: "ERRORS",
    page: "docs/reference/errors.md",
  },
] as const;

const ready = agreements.filter(({ module }) => existsSync(join(root, module)));

it.each(ready)("says the same about every $what in code and docs", async (agreement) => {
  const { module, table, page } = agreement;
  const loaded = (await import(join(root, module))) as Record<string, Record<string, unknown>>;
  const coded = Object.keys(loaded[table] ?? {});
  const documented = entriesOf(page);
  expect(coded.length).toBeGreaterThan(0);
  expect({
    missingInDocs: coded.filter((code) => !documented.includes(code)),
    goneFromCode: documented.filter((code) => !coded.includes(code)),
  }).toEqual({ missingInDocs: [], goneFromCode: [] });
  expect(documented.length, "an entry appears twice").toBe(new Set(documented).size);
});

/** A page for each reason that wakes a human: of a code that exists, found from the list, and nothing else there. */
it("has runbooks for codes that exist, each in the list of runbooks", async () => {
  const folder = "docs/runbooks";
  const codes = await Promise.all(
    ready.map(async ({ module, table }) => {
      const loaded = (await import(join(root, module))) as Record<string, Record<string, unknown>>;
      return Object.keys(loaded[table] ?? {}).map((code) => code.toLowerCase());
    }),
  );
  const pages = readdirSync(join(root, folder))
    .filter((file) => file !== "README.md")
    .map((file) => file.replace(/\.md$/, ""));
  const listed = [...textOf(`${folder}/README.md`).matchAll(/\]\((\w+)\.md\)/g)].map(
    ([, page]) => page ?? "",
  );
  expect(pages.filter((page) => !codes.flat().includes(page))).toEqual([]);
  expect(listed.toSorted()).toEqual(pages.toSorted());
});

/** An entry is a code in backquotes that opens a table row or stands alone as a heading. */
function entriesOf(page: string): readonly string[] {
  if (!existsSync(join(root, page))) return [];
  return [...textOf(page).matchAll(/^(?:\|\s*|#{2,4} )`(\w+)`/gm)].map(([, code]) => code ?? "");
}
