import { describe, expect, it } from "vitest";
import { startNode } from "../src/node/start.ts";
import { catchMutant } from "../src/sim/catch.ts";
import { hunt } from "../src/sim/hunt.ts";
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

/** Worlds so strange that a checker might speak although no bug is planted. */
const STRANGE = MUTANTS.filter((mutant) => mutant.twin === true || mutant.faults !== undefined);

describe("the same schedule without the bug breaks nothing", () => {
  it.each(STRANGE.map((mutant) => [mutant.name, mutant] as const))("%s", async (_, mutant) => {
    const { hunts, faults, config, quick, nodes, twin, breaks } = mutant;
    const world = { only: hunts, faults, config, quick, nodes, twin, judges: breaks };
    const options = { ...world, factory: startNode, flaws: {}, from: 1, seeds: 1, mostFailures: 1 };
    expect((await hunt(options)).failures).toEqual([]);
  });
});
