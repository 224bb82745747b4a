import { describe, expect, it } from "vitest";
import { startNode } from "../node/start.ts";
import { mutantNamed } from "./mutants.ts";
import { shrink } from "./shrink.ts";
import { StoryRun } from "./story.ts";
import { storyOf } from "./swarm.ts";

describe("shrinking a schedule", () => {
  it("leaves out every fault that the violation does not need", async () => {
    const flaws = mutantNamed("promote-before-arm")?.flaws ?? {};
    const story = storyOf(5, { factory: startNode, flaws });
    const { violations } = await new StoryRun(story).play();
    expect(violations[0]).toMatch(/^S5/);
    const small = await shrink(story, violations[0] ?? "");
    expect(small.faults).toEqual([]); // the bootstrap alone shows it
  });
});
