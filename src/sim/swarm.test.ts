import { describe, expect, it } from "vitest";
import { startNode } from "../node/start.ts";
import { VERB_NAMES } from "../scenario/verbs.ts";
import { hunt } from "./hunt.ts";
import { StoryRun } from "./story.ts";
import { storyOf } from "./swarm.ts";
import { transcript } from "./transcript.ts";

/** Half a minute on a quiet machine; `npm run sim` plays as many as there is time for. */
const SEEDS = 200;

const options = { factory: startNode, flaws: {} };

async function told(seed: number): Promise<readonly string[]> {
  const run = new StoryRun(storyOf(seed, options));
  const lines = transcript(run.cluster, "trace");
  await run.play();
  return lines;
}

describe("a swarm of schedules", () => {
  it("plays a seed the same way twice, to the last line", async () => {
    const first = await told(11);
    expect(first.length).toBeGreaterThan(50);
    expect(await told(11)).toEqual(first);
  });

  it("keeps every promise", async () => {
    const tally = await hunt({ ...options, from: 1, seeds: SEEDS, mostFailures: 3 });
    expect(tally.failures).toEqual([]);
    expect(tally.promotions).toBeGreaterThan(SEEDS);
    expect(tally.fences).toBeGreaterThan(SEEDS / 10);
    expect(tally.lostAnswers).toBeGreaterThan(SEEDS / 10);
  });

  it("throws every fault there is", () => {
    const seen = new Set<string>();
    const otherVerbs = ["loseStore", "repopulate"];
    for (let seed = 1; seed <= 400; seed++) {
      for (const fault of storyOf(seed, options).faults) seen.add(fault.verb.do);
    }
    // Storms have no second site, and nobody who fills a store that is lost for good.
    const elsewhere = (name: string): boolean =>
      name.startsWith("site") || name.endsWith("Site") || otherVerbs.includes(name);
    expect(VERB_NAMES.filter((name) => !seen.has(name) && !elsewhere(name))).toEqual([]);
  });
});
