import { describe, expect, it } from "vitest";
import { startNode } from "../node/start.ts";
import { hunt } from "./hunt.ts";
import { MUTANTS } from "./mutants.ts";

/** A bug that escapes so many storms would escape a person too. */
const SEEDS = 40;

describe.concurrent("a planted bug is caught", () => {
  for (const mutant of MUTANTS) {
    it(mutant.name, async () => {
      const { flaws, hunts, faults, config, quick, nodes } = mutant;
      const tally = await hunt({
        factory: startNode,
        flaws,
        only: hunts,
        faults,
        config,
        quick,
        nodes,
        from: 1,
        seeds: SEEDS,
        mostFailures: 1,
      });
      const rules = tally.failures.flatMap((f) => f.violations.map((v) => v.split(" ")[0]));
      expect(rules.some((rule) => rule !== undefined && mutant.breaks.includes(rule))).toBe(true);
    });
  }
});
