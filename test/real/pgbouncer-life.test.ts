// The life of PgBouncer under our care, and what keeps it from living: no server is needed for any of it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runningIn } from "../../src/adapters/pgbouncer/process.ts";
import type { AppError } from "../../src/model/error.ts";
import type { RoutePlan } from "../../src/model/route.ts";
import type { PgbouncerSettings } from "../../src/model/router-settings.ts";
import { bundle, connect, PoolerStage } from "../support/pooler-stage.ts";
import { never, until } from "../support/postgres-stage.ts";

let stage: PoolerStage;
const signal = never();
const LIMITS = { drainMs: 5_000, limitMs: 20_000 };
const PRIMARY = { name: "n1", host: "127.0.0.1", port: 1 };
const PLAN: RoutePlan = { term: 1, write: PRIMARY, reads: [], reports: [] };

beforeAll(async () => {
  stage = await PoolerStage.open();
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

/** What it is refused with, in the lines that a person would read. */
async function refusal(settings: PgbouncerSettings, plan = PLAN): Promise<readonly string[]> {
  const error = await stage
    .pooler(settings)
    .ensure(plan, signal)
    .then(() => undefined)
    .catch((thrown: AppError) => thrown);
  expect(error, "nothing was refused").toBeDefined();
  return [error?.code ?? "", ...(error?.lines() ?? [])];
}

test("a new life of the agent adopts what runs, also in the midst of a pause", async () => {
  const settings = await stage.settings({ processes: 2 });
  const first = stage.pooler(settings);
  await first.ensure(PLAN, signal);
  const before = (await first.look(signal)).processes.map(({ pid }) => pid);
  expect(before).toHaveLength(2);
  expect(await first.hold(LIMITS, signal)).toEqual({ kind: "held" });
  first.close();
  const second = stage.pooler(settings);
  await second.ensure({ ...PLAN, term: 2 }, signal);
  const { processes, problems } = await second.look(signal);
  expect(processes.map(({ pid, paused }) => ({ pid, paused }))).toEqual(
    before.map((pid) => ({ pid, paused: true })),
  );
  expect(problems).toEqual([]);
  await second.release(signal);
  expect((await second.look(signal)).processes.map(({ paused }) => paused)).toEqual([false, false]);
});

test("processes that the file no longer asks for are ended, and a pause of an earlier boot is forgotten", async () => {
  const settings = await stage.settings({ processes: 2 });
  const first = stage.pooler(settings);
  await first.ensure(PLAN, signal);
  const [kept, surplus] = (await first.look(signal)).processes.map(({ pid }) => pid);
  first.close();
  const second = stage.pooler({ ...settings, processes: 1 });
  await second.ensure(PLAN, signal);
  expect((await second.look(signal)).processes.map(({ pid }) => pid)).toEqual([kept]);
  expect(() => process.kill(surplus ?? 0, 0)).toThrow(/ESRCH/);
  await second.hold(LIMITS, signal);
  await second.release(signal);
  await second.stop(signal);
  writeFileSync(join(settings.dir, "hold.json"), JSON.stringify({ id: "old", until: 1e12 }));
  await stage.pooler(settings).look(signal);
  expect(readdirSync(settings.dir)).not.toContain("hold.json");
});

test("a plan of an older term changes nothing, also after a new start of the agent", async () => {
  const settings = await stage.settings();
  const first = stage.pooler(settings);
  await first.ensure({ ...PLAN, term: 7 }, signal);
  first.close();
  const other = { ...PRIMARY, name: "n2", port: 2 };
  const older = { ...PLAN, term: 6, write: other };
  expect(await stage.pooler(settings).ensure(older, signal)).toEqual({ kind: "older", term: 7 });
  const [process] = (await first.look(signal)).processes;
  expect(process?.points["app"]).toEqual({ host: PRIMARY.host, port: PRIMARY.port });
});

test("without a primary the write databases stay where they are", async () => {
  const settings = await stage.settings();
  const pooler = stage.pooler(settings);
  await pooler.ensure(PLAN, signal);
  await pooler.ensure({ ...PLAN, term: 2, write: undefined }, signal);
  const [process] = (await pooler.look(signal)).processes;
  expect(process?.points["app"]).toEqual({ host: PRIMARY.host, port: PRIMARY.port });
});

test("a killed process is started again without being asked for", async () => {
  const settings = await stage.settings();
  const pooler = stage.pooler(settings);
  await pooler.ensure(PLAN, signal);
  const [before] = (await pooler.look(signal)).processes;
  process.kill(before?.pid ?? 0, "SIGKILL");
  await until("it runs again", async () => {
    const [now] = (await pooler.look(signal)).processes;
    return now !== undefined && now.pid !== before?.pid;
  });
  expect((await pooler.look(signal)).problems).toEqual([]);
});

test("a stop ends also the process that is just being started again", async () => {
  const settings = await stage.settings();
  const pooler = stage.pooler(settings);
  await pooler.ensure(PLAN, signal);
  const [before] = (await pooler.look(signal)).processes;
  process.kill(before?.pid ?? 0, "SIGKILL");
  await until("its end is known", () => runningIn(settings.dir).length === 0);
  const again = pooler.ensure({ ...PLAN, term: 2 }, signal).catch(() => undefined);
  await pooler.stop(signal);
  await again;
  expect(runningIn(settings.dir)).toEqual([]);
});

test("an agent that is killed while it holds does not leave the pause behind", async () => {
  const settings = await stage.settings();
  const pooler = stage.pooler(settings);
  await pooler.ensure(PLAN, signal);
  const program = join(stage.root, "agent.mjs");
  await bundle("test/real/pooler-agent.ts", program);
  const { releaser } = stage;
  const args = [program, JSON.stringify({ settings, releaser, limitMs: 1500 })];
  const agent = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [said] = await once(agent.stdout, "data");
  expect(String(said)).toBe("held\n");
  agent.kill("SIGKILL");
  await until("the pause has ended", async () => {
    const [now] = (await pooler.look(signal)).processes;
    return now?.paused === false;
  });
  // The record goes with it, and so does the process that kept watch.
  await until("the record is gone", () => !readdirSync(settings.dir).includes("hold.json"));
});

test("a pause that was prolonged is not ended at its first deadline", async () => {
  const settings = await stage.settings();
  const pooler = stage.pooler(settings);
  await pooler.ensure(PLAN, signal);
  await pooler.hold({ ...LIMITS, limitMs: 1 }, signal);
  await pooler.hold(LIMITS, signal);
  const record = () => JSON.parse(readFileSync(join(settings.dir, "hold.json"), "utf8"));
  const { until: first, id } = record();
  await pooler.hold({ ...LIMITS, limitMs: 30_000 }, signal);
  expect(record().until).toBeGreaterThan(first);
  expect(record().id).toBe(id);
  await pooler.release(signal);
});

test("a pause that nobody would end is taken back", async () => {
  const settings = await stage.settings();
  const pooler = stage.pooler(settings, { nodePath: "/nonexistent/node", path: "releaser.mjs" });
  await pooler.ensure(PLAN, signal);
  await expect(pooler.hold(LIMITS, signal)).rejects.toThrow("pausing");
  const { processes } = await pooler.look(signal);
  expect(processes.map(({ paused }) => paused)).toEqual([false]);
});

test("a pause of somebody else is told and left alone", async () => {
  const settings = await stage.settings();
  const pooler = stage.pooler(settings);
  await pooler.ensure(PLAN, signal);
  await pooler.hold(LIMITS, signal);
  // As if a person had done it: nobody's record.
  unlinkSync(join(settings.dir, "hold.json"));
  expect((await pooler.look(signal)).problems).toEqual([expect.stringMatching(/somebody else/)]);
});

test("settings that PgBouncer does not take never replace those that work", async () => {
  const settings = await stage.settings();
  const pooler = stage.pooler(settings);
  await pooler.ensure(PLAN, signal);
  const [before] = (await pooler.look(signal)).processes;
  const bad = { ...settings, options: { server_tls_sslmode: "perhaps" } };
  expect(await refusal(bad)).toEqual([
    "PGBOUNCER_FAILED",
    "trying PgBouncer's new settings",
    expect.stringMatching(/server_tls_sslmode/),
    expect.stringMatching(/PGBOUNCER_FAILED/),
  ]);
  await pooler.ensure({ ...PLAN, term: 2 }, signal);
  expect((await pooler.look(signal)).processes[0]?.pid).toBe(before?.pid);
});

test("what this version does not know is refused before anything is started", async () => {
  const settings = await stage.settings();
  const told = async (options: Record<string, string>) =>
    (await refusal({ ...settings, options }))[2];
  expect(await told({ transaction_timeout: "5" })).toMatch(
    /transaction_timeout needs PgBouncer 1\.25/,
  );
  expect(await told({ server_lifetme: "5" })).toMatch(/did you mean server_lifetime/);
  expect(await told({ listen_port: "5" })).toMatch(/set by Understudy itself/);
  expect(await told({ server_lifetime: "5\nuser=root" })).toMatch(/line break/);
});

test("a port that somebody else has is named: PgBouncer itself would start without it", async () => {
  const settings = await stage.settings();
  const server = createServer().listen(settings.listen);
  await once(server, "listening");
  expect(await refusal(settings)).toEqual([
    "PORT_IN_USE",
    `listening on 127.0.0.1:${settings.listen.port} (PgBouncer)`,
    expect.stringMatching(/in use by another program/),
    expect.stringMatching(/free it/),
  ]);
  server.close();
});

test("a missing or too old program is one plain refusal", async () => {
  const settings = await stage.settings();
  expect(await refusal({ ...settings, bin: "/nowhere/pgbouncer" })).toContain("PROGRAM_MISSING");
  const old = join(stage.root, "pgbouncer-old");
  writeFileSync(old, "#!/bin/sh\necho PgBouncer 1.12.0\n");
  chmodSync(old, 0o755);
  const [code, , why] = await refusal({ ...settings, bin: old });
  expect(code).toBe("PROGRAM_TOO_OLD");
  expect(why).toMatch(/1\.12\.0, needed is 1\.18/);
});

test("a pool that fills itself and a pause of its database do not go together", async () => {
  const settings = await stage.settings();
  const { app } = settings.databases;
  if (app === undefined) throw new Error("there is no app");
  const databases = { app: { ...app, minPoolSize: 4 } };
  expect((await refusal({ ...settings, databases }))[2]).toMatch(/databases\.app\.min_pool_size/);
  const options = { min_pool_size: "4" };
  expect((await refusal({ ...settings, options }))[2]).toMatch(/options\.min_pool_size/);
});

test("a folder that is too long for a socket is refused with the setting to change", async () => {
  const settings = await stage.settings();
  const dir = join(settings.dir, "x".repeat(90));
  expect((await refusal({ ...settings, dir }))[2]).toMatch(/set router\.pgbouncer\.dir/);
});

test("where everybody is trusted, nobody commands the pooler over the network", async () => {
  const base = await stage.settings();
  const settings = { ...base, auth: { ...base.auth, type: "trust" } };
  await stage.pooler(settings).ensure(PLAN, signal);
  const asConsole = { user: "understudy_console", database: "pgbouncer", password: "x" };
  await expect(connect(settings, asConsole)).rejects.toThrow();
  // The pooler itself is commanded over its socket all the same.
  expect((await stage.pooler(settings).look(signal)).problems).toEqual([]);
});
