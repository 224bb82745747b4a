// Does a replay say the same of what was decided here, and name what was decided otherwise?
import { describe, expect, it } from "vitest";
import { following, leaderless, leading } from "../../test/support/world.ts";
import { decide } from "../controllers/ha/decide.ts";
import type { HaWorld } from "../controllers/ha/world.ts";
import { printWorld } from "../node/world-text.ts";
import { replay } from "./replay.ts";

const line = (world: HaWorld, because?: string): string => {
  const decided = decide(world);
  return printWorld({
    wallMs: world.wallMs,
    because: because ?? decided.because,
    step: decided.step?.kind,
    world,
  });
};

describe("a replay", () => {
  it("finds nothing where today's code decides the same", () => {
    const text = [leading(), following(), leaderless()].map((world) => line(world)).join("\n");
    expect(replay(text)).toEqual({ decisions: 3, unread: 0, differences: [] });
  });

  it("names the line, the moment and both decisions where it does not", () => {
    const { differences } = replay(`${line(leading())}\n${line(following(), "cloning")}\n`);
    expect(differences).toEqual([
      expect.objectContaining({ line: 2, recorded: "cloning", today: "following" }),
    ]);
  });

  it("counts what it cannot read, and goes on", () => {
    const text = `{"wallMs":1,"beca\n{"wallMs":1,"because":"x","world":{}}\n${line(leading())}`;
    expect(replay(text)).toMatchObject({ decisions: 1, unread: 2 });
  });
});
