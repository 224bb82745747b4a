import { describe, expect, it } from "vitest";
import { startNode } from "../node/start.ts";
import { catchMutant } from "./catch.ts";
import { MUTANTS } from "./mutants.ts";

/** A bug that escapes so many storms would escape a person too. */
const SEEDS = 60;

describe("a planted bug is caught", () => {
  for (const mutant of MUTANTS) {
    it(mutant.name, async () => {
      const caught = await catchMutant(mutant, { factory: startNode, from: 1, seeds: SEEDS });
      expect(caught).toBeDefined();
      const rule = caught?.what.split(" ")[0] ?? "";
      if (mutant.story === undefined) expect(mutant.breaks).toContain(rule);
    });
  }
});
