// What brings a primary down is made for real, one after another, and named by the members as what it was.
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Checked } from "../../src/cli/maintenance-screen.ts";
import type { CauseCode } from "../../src/incident/incident.ts";
import { type Phase, watchPhase } from "../../src/lab/calm/calm.ts";
import { doctorFindings, lookForAlarms } from "../../src/lab/calm/look.ts";
import type { FAULTS } from "../../src/lab/faults.ts";
import { waitForHealthy, waitForPrimary } from "../../src/lab/health.ts";
import { Load, USUAL_LOAD } from "../../src/lab/load.ts";
import type { GameDayReport } from "../../src/model/game-day/game-day.ts";
import { incidentFor } from "../support/incidents.ts";
import { heal, isRoot, make, useLab } from "../support/lab.ts";
import { sessionOn } from "../support/lag-stage.ts";

const cli = join(import.meta.dirname, "..", "..", "dist", "cli.mjs");
const execute = promisify(execFile);
const LIMIT_MS = 60_000;
const QUIET_LIMIT_MS = 90_000;
/** Time for a few looks, each of three commands. */
const SHORT_MS = 4_000;
const COMMAND_LIMIT_MS = 170_000;

describe("a primary that goes down", () => {
  const lab = useLab("causes", {
    ttlSeconds: 5,
    ...(isRoot ? { diskMegabytes: 512, set: { max_slot_wal_keep_size: "256MB" } } : {}),
  });

  /** One command as a user types it; answers its words and its number. */
  async function understudy(...args: readonly string[]) {
    const [first] = lab().members;
    const command = [cli, "-c", first?.configFile ?? "", ...args];
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

  const drill = (...args: readonly string[]) => understudy("drill", "failover", ...args);

  it("is not seen while nothing is wrong, idle or at work, and is at once when something is", async () => {
    await waitForHealthy(lab(), LIMIT_MS);
    const stop = new AbortController().signal;
    const watch = { lab: lab(), known: await doctorFindings(lab()), everyMs: 0, stop };
    const look = () => watchPhase("idle", { ...watch, forMs: SHORT_MS, say: () => undefined });
    // One look on a machine that had no time for it is no alarm; the long run, `lab calm`, lets none pass.
    const lasting = ({ alarms, looks }: Phase) => alarms.filter(({ times }) => times === looks);
    expect(lasting(await look())).toEqual([]);
    const load = await Load.start(lab(), USUAL_LOAD);
    try {
      expect(lasting(await look())).toEqual([]);
    } finally {
      await load.stop();
    }

    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    const standby = lab().members.find(({ name }) => name !== member.name)!;
    const session = await sessionOn(lab(), standby);
    try {
      await session.query("SELECT pg_wal_replay_pause()");
      const words = async () =>
        (await lookForAlarms(lab())).map((alarm) => `${alarm.by}: ${alarm.words}`);
      const heard = async () => (await words()).map((said) => said.replace(/:.*/s, ""));
      const all = expect.arrayContaining(["status", "lag", "metrics"]);
      await expect.poll(heard, { timeout: LIMIT_MS, interval: 500 }).toEqual(all);
      await session.query("SELECT pg_wal_replay_resume()");
      await expect.poll(words, { timeout: LIMIT_MS, interval: 500 }).toEqual([]);
    } finally {
      await session.end();
    }
  });

  it("is flagged before, when a statement would keep clients waiting, and while one does", async () => {
    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    const writer = await sessionOn(lab(), member);
    const reader = await sessionOn(lab(), member);
    try {
      await writer.query("CREATE TABLE wide AS SELECT i FROM generate_series(1, 10000) i");
      const check = await understudy("slo", "check", "VACUUM FULL wide", "--json");
      expect(check.exit).toBe(3);
      const { items } = JSON.parse(check.stdout) as { items: readonly Checked[] };
      expect(items[0]).toMatchObject({ judgement: { weight: "blocks" }, facts: { kind: "table" } });
      expect(items[0]?.facts?.tableBytes).toBeGreaterThan(300_000);
      expect((await understudy("slo", "check", "VACUUM wide")).exit).toBe(0);
      expect((await understudy("slo", "watch", "--once")).exit).toBe(0);

      await writer.query("BEGIN");
      await writer.query("ALTER TABLE wide ALTER COLUMN i TYPE bigint");
      const reading = reader.query("SELECT count(*) FROM wide");
      const now = async () => (await understudy("slo", "watch", "--once")).stdout;
      await expect.poll(now, { timeout: LIMIT_MS }).toContain("1 session waiting");
      expect(await now()).toContain("a transaction that is left open");
      // Whoever only asks does not stand in the queue.
      const asked = await understudy("slo", "check", "CLUSTER wide");
      expect(asked.stdout).toContain("somebody holds a lock on it");
      const status = async () => (await understudy("status")).stdout;
      await expect
        .poll(status, { timeout: LIMIT_MS })
        .toMatch(/a transaction that is left open for .*, 1 waits: slo watch/);
      expect((await understudy("doctor")).stdout).toContain("a transaction that is left open");
      await writer.query("ROLLBACK");
      await reading;
      expect(await status()).not.toContain("slo watch");
    } finally {
      await Promise.all([writer.end(), reader.end()]);
    }
  });

  it("because of a game day: only by its name, until it is aborted, measured and kept", async () => {
    // A minute after whatever a busy machine has brought about.
    const mayBegin = async () => (await drill("--plan")).exit;
    await expect.poll(mayBegin, { timeout: QUIET_LIMIT_MS, interval: 1_000 }).toBe(0);
    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    const since = Date.now();
    const scope = `lab-${lab().name}`;
    const refused = { exit: 7, stderr: expect.stringContaining("not confirmed by name") };
    expect(await drill("--kind", "crash")).toMatchObject(refused);
    expect(await drill("--kind", "crash", "--confirm", "another")).toMatchObject(refused);
    expect((await drill("--kind", "fire")).stderr).toContain("--kind fire is not possible");
    expect(await drill("--countdown", "1h")).toMatchObject({ exit: 2 });

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
      item: { id: string; report: GameDayReport };
    };
    expect(item.report.findings.filter(({ kept }) => kept !== "yes")).toEqual([]);
    expect(item).toMatchObject({ from: member.name, state: "done", report: { verdict: "passed" } });
    expect(done.exit).toBe(0);
    // It has waited for what came of it, not for what was.
    expect(item.report.primary).toBe((await waitForPrimary(lab(), LIMIT_MS)).member.name);
    const incident = await incidentFor(lab(), since, ["game_day"]);
    expect(incident.id).toBe(item.report.incident);
    const { stdout } = await drill("show", item.id);
    expect(stdout).toContain("acknowledged-kept");
    // What has just happened is not to be mixed with what comes next.
    expect((await drill("--confirm", scope)).stderr).toContain("is hardly over");

    // The schedule's own command says so as well, and keeps it.
    expect(await drill("--scheduled", "switchover")).toMatchObject({ exit: 10 });
    const [first] = lab().members;
    const file = join(lab().dir, "scheduled.yml");
    const at = new Date().toISOString().slice(11, 16);
    const days = `game_days: {cluster: ${scope}, switchover: {at: "${at}"}}\n`;
    await writeFile(file, `${await readFile(first?.configFile ?? "", "utf8")}${days}`);
    const skipped = await understudy("-c", file, "drill", "failover", "--scheduled", "switchover");
    expect(skipped).toMatchObject({ exit: 6, stderr: expect.stringContaining("is hardly over") });
    expect((await drill("list")).stdout).toMatch(/switchover +skipped/);
    expect((await drill("show")).stdout).toContain("is hardly over");
  });

  // Mounting, and taking memory away, belong to root.
  it.runIf(isRoot).each<readonly [CauseCode, keyof typeof FAULTS, string]>([
    ["out_of_memory", "starve-postmaster", "the kernel killed"],
    ["disk_full", "fill-disk", "free beside the data"],
    ["server_hung", "stop-postmaster", "the server accepts nobody"],
  ])("because of what is named %s (%s)", async (cause, fault, evidence) => {
    await waitForHealthy(lab(), LIMIT_MS);
    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    const since = Date.now();
    onTestFinished(() => heal(lab()));
    await make(lab(), fault, member.name);
    // What was seen first names the cause already; what the host says of it comes a moment later.
    const now = () => incidentFor(lab(), since, [cause]);
    const words = async () => (await now()).cause.evidence.join("\n");
    await expect.poll(words, { timeout: LIMIT_MS }).toContain(evidence);
    expect((await now()).from).toBe(member.name);
  });
});
