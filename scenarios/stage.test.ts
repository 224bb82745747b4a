import { expect, test } from "vitest";
import { startNode } from "../src/node/start.ts";
import { canPlay } from "../src/scenario/stage.ts";
import { simStage } from "../src/sim/stage.ts";
import { STORIES } from "./all.ts";
import { switchover } from "./switchover.ts";

const stage = simStage({ factory: startNode, flaws: {}, seed: 1 });

test("the simulator can play every story", () => {
  expect(STORIES.filter((story) => !canPlay(stage, story)).map((story) => story.name)).toEqual([]);
});

test("as a stage it reports what a story is judged by", async () => {
  const report = await stage.play(switchover);
  expect(report).toMatchObject({ violations: [], lost: 0, fences: 0 });
  expect(report.primaryAtEnd).not.toBe(report.firstPrimary);
});
