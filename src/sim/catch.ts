// Is a planted bug caught, and by what?
import { type Scenario, unmet } from "../scenario/scenario.ts";
import { type HuntOptions, hunt } from "./hunt.ts";
import type { Mutant } from "./mutant.ts";
import type { NodeFactory } from "./node-factory.ts";
import { storyOfScenario } from "./scenarios.ts";
import { StoryRun } from "./story.ts";

export interface CatchOptions extends Pick<HuntOptions, "onRun"> {
  readonly factory: NodeFactory;
  readonly stories: readonly Scenario[];
  readonly from: number;
  readonly seeds: number;
}

export interface Caught {
  readonly seed: number;
  readonly what: string;
}

/** Plays its storms or its story, seed after seed, until something is said against it. */
export async function catchMutant(
  mutant: Mutant,
  options: CatchOptions,
): Promise<Caught | undefined> {
  if (mutant.story !== undefined) return catchInStory(mutant, mutant.story, options);
  const { flaws, hunts, faults, config, quick, nodes, twin, breaks } = mutant;
  const bias = { flaws, only: hunts, faults, config, quick, nodes, twin, judges: breaks };
  for (let seed = options.from; seed < options.from + options.seeds; seed++) {
    const tally = await hunt({ ...options, ...bias, from: seed, seeds: 1, mostFailures: 1 });
    const said = tally.failures.flatMap((failure) => failure.violations);
    const what = said.find((v) => breaks.includes(v.split(" ")[0] ?? ""));
    if (what !== undefined) return { seed, what };
  }
  return undefined;
}

async function catchInStory(
  mutant: Mutant,
  story: string,
  options: CatchOptions,
): Promise<Caught | undefined> {
  const scenario = options.stories.find((s) => s.name === story);
  if (scenario === undefined) throw new Error(`no story ${story}`);
  const { factory, from, seeds } = options;
  for (let seed = from; seed < from + seeds; seed++) {
    const run = new StoryRun(storyOfScenario(scenario, { factory, flaws: mutant.flaws, seed }));
    options.onRun?.(run, seed);
    const [first] = unmet(scenario.expect, await run.play());
    if (first !== undefined) return { seed, what: `${story}: ${first}` };
  }
  return undefined;
}
