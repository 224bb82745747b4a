// Is each changed decision recorded once with its world, so that it can be decided upon again?
import { mkdir, mkdtemp, readFile, rm, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../../test/support/until.ts";
import { following, leaderless, leading } from "../../test/support/world.ts";
import { decide } from "../controllers/ha/decide.ts";
import type { HaWorld } from "../controllers/ha/world.ts";
import type { LastLook } from "../node/node.ts";
import { parseWorld } from "../node/world-text.ts";
import { FlightRecorder } from "./flight-recorder.ts";

const look = (world: HaWorld): LastLook => ({
  world,
  decision: decide(world),
  tookMs: 1,
  since: world.now,
});

describe("the flight recorder", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "us-recorder-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("writes a line when the decision changes, and none while it does not", async () => {
    const path = join(folder, "state", "recorder.jsonl");
    const recorder = new FlightRecorder(path);
    for (const world of [leading(), leading(), following(), following(), leading()])
      recorder.looked(look(world));
    const lines = async () =>
      (await readFile(path, "utf8").catch(() => "")).split("\n").slice(0, -1);
    await until("three lines", async () => (await lines()).length === 3);
    const worlds = (await lines()).map(
      (line) => parseWorld(line) as { because: string; world: HaWorld },
    );
    expect(worlds.map(({ because }) => because)).toEqual(["leading", "following", "leading"]);
    expect(worlds.map(({ world }) => decide(world).because)).toEqual([
      "leading",
      "following",
      "leading",
    ]);
  });

  it("does no harm when nothing can be written, and goes on when it can be", async () => {
    // A folder where the file should be: nothing can be appended, as on a disk that is full.
    const path = join(folder, "recorder.jsonl");
    await mkdir(path);
    const recorder = new FlightRecorder(path);
    for (let n = 0; n < 100; n++) recorder.looked(look(n % 2 === 0 ? leaderless() : leading()));
    await rmdir(path);
    recorder.looked(look(following()));
    await until("it writes again", async () =>
      readFile(path, "utf8").then(
        (text) => text.includes('"because":"following"'),
        () => {
          recorder.looked(look(leading()));
          recorder.looked(look(following()));
          return false;
        },
      ),
    );
    expect((await readFile(path, "utf8")).split("\n").length).toBeLessThan(100);
  });
});
