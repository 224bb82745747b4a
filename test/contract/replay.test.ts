// The calls of a real cluster, asked again of the simulated ports. `node scripts/record-calls.mjs` records them anew.
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { readRecording, replay } from "./replay.ts";

const FOLDER = fileURLToPath(new URL("recordings/", import.meta.url));

it("the simulated ports answer a kill, a switchover and a rejoin as the real ones did", async () => {
  const lines = readRecording(FOLDER);
  for (const call of ["clone", "promote", "stop", "crashEnd", "rewind"])
    expect(
      lines.some((line) => "call" in line && line.call === call),
      call,
    ).toBe(true);
  const { compared, differences } = await replay(lines);
  expect(differences).toEqual([]);
  expect(compared).toBeGreaterThan(300);
});
