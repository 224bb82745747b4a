import { describe, expect, it } from "vitest";
import { startNode } from "../node/start.ts";
import { VERB_NAMES } from "../scenario/verbs.ts";
import { hunt } from "./hunt.ts";
import { StoryRun } from "./story.ts";
import { storyOf } from "./swarm.ts";
import { transcript } from "./transcript.ts";

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
    const tally = await hunt({ ...options, from: 1, seeds: 40, mostFailures: 3 });
    expect(tally.failures).toEqual([]);
    expect(tally.promotions).toBeGreaterThan(40);
    expect(tally.fences).toBeGreaterThan(5);
    expect(tally.lostAnswers).toBeGreaterThan(5);
  });

  it("throws every fault there is", () => {
    const seen = new Set<string>();
    for (let seed = 1; seed <= 400; seed++) {
      for (const fault of storyOf(seed, options).faults) seen.add(fault.verb.do);
    }
    expect(VERB_NAMES.filter((name) => !seen.has(name))).toEqual(["resume"]); // the end of every pause
  });
});
