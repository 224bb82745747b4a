import { describe, expect, it } from "vitest";
import { startNode } from "../src/node/start.ts";
import { catchMutant } from "../src/sim/catch.ts";
import { MUTANTS } from "../src/sim/mutants.ts";
import { STORIES } from "./all.ts";

/** A bug that escapes so many storms would escape a person too. */
const SEEDS = 60;

describe("a planted bug is caught", () => {
  it.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))("%s", async (_, mutant) => {
    const options = { factory: startNode, stories: STORIES, from: 1, seeds: SEEDS };
    await expect(catchMutant(mutant, options)).resolves.toBeDefined();
  });
});
