import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { startNode } from "../src/node/start.ts";
import { type Scenario, unmet } from "../src/scenario/scenario.ts";
import { storyOfScenario } from "../src/sim/scenarios.ts";
import { StoryRun } from "../src/sim/story.ts";
import { transcript } from "../src/sim/transcript.ts";
import { STORIES } from "./all.ts";

const GOLDEN = fileURLToPath(new URL("golden/", import.meta.url));

async function play(scenario: Scenario) {
  const run = new StoryRun(storyOfScenario(scenario, { factory: startNode, flaws: {}, seed: 1 }));
  const lines = transcript(run.cluster, "story");
  const report = await run.play();
  return { report, text: `${scenario.story}\n\n${lines.join("\n")}\n` };
}

describe("a story in the simulator", () => {
  it.each(STORIES.map((scenario) => [scenario.name, scenario] as const))(
    "%s",
    async (name, scenario) => {
      const { report, text } = await play(scenario);
      expect(unmet(scenario.expect, report)).toEqual([]);
      const path = `${GOLDEN}${name}.txt`;
      if (process.env["UPDATE_GOLDEN"] === "1") {
        mkdirSync(GOLDEN, { recursive: true });
        writeFileSync(path, text);
      }
      expect(text, "UPDATE_GOLDEN=1 rewrites it").toBe(readFileSync(path, "utf8"));
    },
  );
});
