// The simulator as a stage: it can play every verb.
import type { Stage } from "../scenario/stage.ts";
import { type StageOptions, storyOfScenario } from "./scenarios.ts";
import { StoryRun } from "./story.ts";

export const simStage = (options: StageOptions): Stage => ({
  name: "simulator",
  cannot: [],
  play: (scenario) => new StoryRun(storyOfScenario(scenario, options)).play(),
});
