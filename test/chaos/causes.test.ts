// What brings a primary down is made for real, one after another, and named by the members as what it was.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { waitForHealthy, waitForPrimary } from "../../src/lab/health.ts";
import { incidentFor } from "../support/incidents.ts";
import { useLab } from "../support/lab.ts";

const cli = join(import.meta.dirname, "..", "..", "dist", "cli.mjs");
const execute = promisify(execFile);
const LIMIT_MS = 60_000;
const COMMAND_LIMIT_MS = 170_000;

describe("a primary that goes down", () => {
  const lab = useLab("causes");

  /** One command as a user types it; answers its words and its number. */
  async function drill(...args: readonly string[]) {
    const [first] = lab().members;
    const command = [cli, "-c", first?.configFile ?? "", "drill", "failover", ...args];
    try {
      const { stdout, stderr } = await execute(process.execPath, command, {
        timeout: COMMAND_LIMIT_MS,
      });
      return { exit: 0, stdout, stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { exit: code, stdout, stderr };
    }
  }

  it("because of a game day: only by its name, until it is aborted, measured and kept", async () => {
    await waitForHealthy(lab(), LIMIT_MS);
    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    const since = Date.now();
    const scope = `lab-${lab().name}`;
    expect(await drill("--kind", "crash")).toMatchObject({ exit: 7 });
    expect(await drill("--kind", "crash", "--confirm", "another")).toMatchObject({ exit: 7 });
    expect((await drill("--kind", "fire")).stderr).toContain("--kind fire is not possible");

    const announced = drill("--kind", "crash", "--confirm", scope, "--countdown", "2min");
    await expect.poll(async () => (await drill("--abort")).exit, { timeout: LIMIT_MS }).toBe(0);
    expect(await announced).toMatchObject({ exit: 130 });
    expect((await waitForPrimary(lab(), LIMIT_MS)).member.name).toBe(member.name);

    const done = await drill(
      "--kind",
      "crash",
      "--confirm",
      scope,
      "--max-pause",
      "60s",
      "--countdown",
      "1s",
      "--json",
    );
    const { item } = JSON.parse(done.stdout) as {
      item: { id: string; report: { verdict: string; incident: string } };
    };
    expect(item).toMatchObject({ from: member.name, state: "done", report: { verdict: "passed" } });
    expect(done.exit).toBe(0);
    const incident = await incidentFor(lab(), since, ["game_day"]);
    expect(incident.id).toBe(item.report.incident);
    const { stdout } = await drill("show", item.id);
    expect(stdout).toContain("acknowledged-kept");
    // What has just happened is not to be mixed with what comes next.
    expect((await drill("--confirm", scope)).stderr).toContain("is hardly over");
  });
});
