// Stories that the simulator plays thousands of times, played once with real processes.
import { describe, expect, it } from "vitest";
import { agentAndFenceKilled } from "../../scenarios/agent-and-fence-killed.ts";
import { cleanStopWithHeir } from "../../scenarios/clean-stop-with-heir.ts";
import { labStage } from "../../src/lab/stage.ts";
import { unmet } from "../../src/scenario/scenario.ts";
import { canPlay } from "../../src/scenario/stage.ts";

/** The rest is played by the soak: the time of every run is limited. */
const PLAYED = [cleanStopWithHeir, agentAndFenceKilled];

describe("a story in the lab", () => {
  const stage = labStage(`t-story-${process.pid}`);

  it.each(PLAYED)("$name: $story", async (scenario) => {
    expect(canPlay(stage, scenario)).toBe(true);
    const report = await stage.play(scenario);
    // Durations are measured by the bench, on a machine that does nothing else.
    const { longestPauseMs: _, ...expectations } = scenario.expect;
    expect(unmet(expectations, report)).toEqual([]);
  });
});
