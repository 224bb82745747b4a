// The server process dies, or is asked to hand over: short pauses, and no promise broken.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { RECORDING_FOLDER } from "../../src/agent/recorder.ts";
import { waitForHealthy, waitForPrimary } from "../../src/lab/health.ts";
import { measure } from "../../src/lab/measure.ts";
import { readRecording, replay } from "../contract/replay.ts";
import { incidentFor } from "../support/incidents.ts";
import { expectSafe, heal, make, useLab } from "../support/lab.ts";

const LIMIT_MS = 60_000;

/** The agents of this lab record what they ask and are told (decision 0025). */
const recording = mkdtempSync(join(tmpdir(), "us-recording-"));
process.env[RECORDING_FOLDER] = recording;
afterAll(() => rmSync(recording, { recursive: true }));

describe("with three healthy nodes", () => {
  const lab = useLab("postmaster");

  it("a killed postmaster costs no acknowledged row", async () => {
    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    const since = Date.now();
    const measurement = await measure(lab(), {
      fault: () => make(lab(), "kill-postmaster", member.name),
      watchMs: 3_000,
      probe: true,
    });
    expectSafe(measurement);
    await heal(lab());
    expect((await waitForPrimary(lab(), LIMIT_MS)).streaming).toBe(2);
    const incident = await incidentFor(lab(), since, ["postmaster_killed"]);
    expect(incident).toMatchObject({ from: member.name, cause: { confidence: "certain" } });
    expect(incident.cause.evidence.join("\n")).toContain("SIGKILL");
  });

  it("a switchover under load moves the primary and loses nothing", async () => {
    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    const measurement = await measure(lab(), {
      fault: () => make(lab(), "switchover", ""),
      watchMs: 2_000,
      probe: true,
    });
    expectSafe(measurement);
    expect(measurement.after.primary).not.toBe(member.name);
    expect(measurement.after.timeline).toBe(measurement.before.timeline + 1);
    await waitForHealthy(lab(), LIMIT_MS);
  });

  it("a switchover to a named standby makes that one the primary", async () => {
    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    const wanted = lab().members.find(({ name }) => name !== member.name)?.name ?? "";
    const measurement = await measure(lab(), {
      fault: () => make(lab(), "switchover", wanted),
      watchMs: 2_000,
    });
    expectSafe(measurement);
    expect(measurement.after.primary).toBe(wanted);
    await waitForHealthy(lab(), LIMIT_MS);
  });

  it("the simulated ports would have answered these agents as the real ones did", async () => {
    const { compared, differences } = await replay(readRecording(recording));
    expect(differences).toEqual([]);
    expect(compared).toBeGreaterThan(100);
  });
});
