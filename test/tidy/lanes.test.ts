// Does the plan of the test run name what there is?
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { LONGEST_FIRST, PROJECTS } from "../../scripts/lanes.mjs";
import config from "../../vitest.config.ts";

it("runs every project of the test configuration", () => {
  const named = (config.test?.projects ?? []).map((project) =>
    typeof project === "object" && "test" in project ? project.test?.name : undefined,
  );
  // Node 24 runs the unit tests a second time.
  const planned = PROJECTS.filter((name) => name !== "node24");
  expect(new Set(planned)).toEqual(new Set(named));
});

it("begins with files that are there", () => {
  const files = readdirSync(join(import.meta.dirname, "..", "chaos"));
  for (const name of LONGEST_FIRST) expect(files).toContain(`${name}.test.ts`);
});
