// How does a member make a game day whose time has come? By the command of a person, in a process of its own: what is
// measured is measured from outside, and the agent has nothing of it in its memory.
import { run } from "../../adapters/system/spawn.ts";
import { asAppError } from "../../model/error.ts";
import { asGameDay } from "../../model/game-day/game-day.ts";
import { jobNameOf, type ScheduledGameDay } from "../../model/game-day/scheduled.ts";
import type { Ending } from "../../model/schedule.ts";
import type { Ms } from "../../model/time.ts";
import { isObject, parseJson } from "../../model/wire/json.ts";
import { overridingVariables, programBeside } from "../compose-shared.ts";
import type { PlannedJob } from "../schedule/keeper.ts";

/** The longest countdown, the longest failover that is waited for, and the time to tell of it. */
const LIMIT_MS: Ms = 12 * 60_000;

export function gameDayJobs(
  file: string,
  days: readonly ScheduledGameDay[] | undefined,
): readonly PlannedJob[] {
  return (days ?? []).map((day) => ({
    name: jobNameOf(day),
    about: `a failover on purpose: ${day.kind}`,
    schedule: day.schedule,
    // Its conditions tell a pause, and skip it.
    waitsInPause: false,
    carryOut: (signal) => make(file, day, signal),
  }));
}

/** Never throws: whatever kept it from its end, it is not tried again. */
async function make(
  file: string,
  { kind }: ScheduledGameDay,
  signal: AbortSignal,
): Promise<Ending> {
  try {
    const args = ["-c", file, "drill", "failover", "--scheduled", kind, "--json"];
    const { code, stdout, stderr } = await run({
      program: process.execPath,
      args: [programBeside("cli.mjs"), ...args],
      timeoutMs: LIMIT_MS,
      environment: overridingVariables(),
      signal,
    });
    return endingOf(code, stdout, stderr);
  } catch (error) {
    const why = asAppError(error, "NOT_POSSIBLE", `making a ${kind}`).message;
    return { outcome: "skipped", why };
  }
}

/** What is made ends with its report, whatever that says; else the command says why nothing was done. */
export function endingOf(code: number | undefined, stdout: string, stderr: string): Ending {
  const whole = parseJson(stdout);
  const day = isObject(whole) ? asGameDay(whole["item"]) : undefined;
  const report = day?.report;
  if (day === undefined || report === undefined) {
    const why = stderr.trim().split("\n").join("; ");
    return { outcome: "skipped", why: why === "" ? `the command ended with ${code}` : why };
  }
  if (report.verdict === "passed") return { outcome: "done" };
  const bad = report.findings.filter(({ kept }) => kept !== "yes");
  const found = bad.map(({ name, found: what }) => `${name} ${what}`).join(", ");
  return { outcome: "failed", why: `${day.id} ${report.verdict}: ${found}` };
}
