import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { STORIES } from "../../scenarios/all.ts";
import { startNode } from "../node/start.ts";
import { type Scenario, unmet } from "../scenario/scenario.ts";
import { storyOfScenario } from "./scenarios.ts";
import { StoryRun } from "./story.ts";
import { transcript } from "./transcript.ts";

const GOLDEN = fileURLToPath(new URL("../../scenarios/golden/", import.meta.url));

async function play(scenario: Scenario) {
  const run = new StoryRun(storyOfScenario(scenario, { factory: startNode, flaws: {}, seed: 1 }));
  const lines = transcript(run.cluster, "story");
  const report = await run.play();
  return { report, text: `${scenario.story}\n\n${lines.join("\n")}\n` };
}

describe("a story in the simulator", () => {
  for (const scenario of STORIES) {
    it(scenario.name, async () => {
      const { report, text } = await play(scenario);
      expect(unmet(scenario.expect, report)).toEqual([]);
      const path = `${GOLDEN}${scenario.name}.txt`;
      if (process.env["UPDATE_GOLDEN"] === "1" || !existsSync(path)) {
        mkdirSync(GOLDEN, { recursive: true });
        writeFileSync(path, text);
      }
      expect(text, "UPDATE_GOLDEN=1 rewrites it").toBe(readFileSync(path, "utf8"));
    });
  }
});
