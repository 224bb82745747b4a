// The real PgBouncer before real servers: configured, paused, moved, adopted, and what keeps it from all that.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AppError } from "../../src/model/error.ts";
import { modeWarnings, type PoolTraces, TRACES_SQL } from "../../src/model/pool-traces.ts";
import { PASSWORD_QUERY, passwordFunctionSql } from "../../src/model/pooler-sql.ts";
import { FIRST_BRANCH } from "../../src/model/timeline.ts";
import {
  bundle,
  connect,
  PASSWORD,
  PoolerStage,
  planOf,
  startWorker,
  targetOf,
} from "../support/pooler-stage.ts";
import { asServer, never, PostgresStage, type TestNode, until } from "../support/postgres-stage.ts";

let servers: PostgresStage;
let stage: PoolerStage;
let a: TestNode;
let b: TestNode;

beforeAll(async () => {
  [servers, stage] = await Promise.all([PostgresStage.open(), PoolerStage.open()]);
  a = await servers.node("a");
  // PgBouncer takes one port for all hosts, so the standby has an address of its own instead.
  const { port } = a.settings.postgres;
  const host = "127.0.0.2";
  b = await servers.node("b", { port, listen: [host], connectAddress: { host, port } });
  await a.bootstrap();
  await a.query(`CREATE ROLE shop LOGIN PASSWORD '${PASSWORD}'`);
  await a.query("CREATE TABLE public.orders (n int)");
  await a.query("GRANT ALL ON public.orders TO shop");
  await b.cloneFrom(a, [FIRST_BRANCH]);
  await until("the standby has everything", () => b.hasCaughtUp(a));
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
  await servers[Symbol.asyncDispose]();
});

const signal = never();
const LIMITS = { drainMs: 300, limitMs: 20_000 };

async function recovery(settings: Parameters<typeof connect>[0], database: string) {
  await using client = await connect(settings, { database });
  const { rows } = await client.query("SELECT pg_is_in_recovery() AS standby");
  return rows[0].standby as boolean;
}

test("writes lead to the primary, reads to the standby, as an unprivileged user", async () => {
  const settings = await stage.settings();
  const pooler = stage.pooler(settings);
  expect(await pooler.ensure(planOf(1, a, [b]), signal)).toEqual({ kind: "pointed" });
  expect(await recovery(settings, "app")).toBe(false);
  expect(await recovery(settings, "app_ro")).toBe(true);
  const { processes, problems } = await pooler.look(signal);
  expect(problems).toEqual([]);
  expect(processes).toMatchObject([
    { paused: false, points: { app: a.settings.postgres.connectAddress } },
  ]);
  const status = readFileSync(`/proc/${processes[0]?.pid}/status`, "utf8");
  expect(/^Uid:\s+(\d+)/m.exec(status)?.[1]).not.toBe("0");
  expect(await pooler.ensure(planOf(0, b), signal)).toEqual({ kind: "older", term: 1 });
  expect(await recovery(settings, "app")).toBe(false);
});

test("readers take turns over all hosts that are ready", async () => {
  const settings = await stage.settings();
  await stage.pooler(settings).ensure(planOf(1, a, [a, b]), signal);
  const clients = await Promise.all(
    Array.from({ length: 4 }, () => connect(settings, { database: "app_ro" })),
  );
  // Each has a transaction open, so that each needs a connection of its own.
  const answers = await Promise.all(
    clients.map(async (client) => {
      await client.query("BEGIN");
      return client.query("SELECT host(inet_server_addr()) AS at");
    }),
  );
  const counts = answers.map(({ rows }) => rows[0].at as string).toSorted();
  expect(counts).toEqual(["127.0.0.1", "127.0.0.1", "127.0.0.2", "127.0.0.2"]);
  await Promise.all(clients.map((client) => client.end()));
});

test("a database that the server does not have is an error and not a wait", async () => {
  const base = await stage.settings();
  const app = base.databases["app"] ?? fail();
  const settings = { ...base, databases: { app: { ...app, dbname: "nowhere" } } };
  await stage.pooler(settings).ensure(planOf(1, a), signal);
  await expect(connect(settings)).rejects.toThrow(/nowhere.*does not exist/);
});

test("a pause lets nobody's query through and loses none", async () => {
  const settings = await stage.settings({ processes: 2 });
  const pooler = stage.pooler(settings);
  await pooler.ensure(planOf(1, a, [b]), signal);
  const workers = await Promise.all(
    Array.from({ length: 12 }, () => startWorker(settings, "SELECT pg_sleep(0.01)")),
  );
  for (let round = 0; round < 3; round += 1) {
    expect(await pooler.hold({ ...LIMITS, drainMs: 5000 }, signal)).toEqual({ kind: "held" });
    const { processes } = await pooler.look(signal);
    expect(processes.map(({ paused }) => paused)).toEqual([true, true]);
    expect(processes.flatMap(({ pools }) => pools).filter((one) => one.serversActive > 0)).toEqual(
      [],
    );
    // Reads go on meanwhile.
    expect(await recovery(settings, "app_ro")).toBe(true);
    await pooler.release(signal);
    await pooler.release(signal);
    const done = workers.map(({ seen }) => seen.done);
    await until("all are served again", () =>
      workers.every(({ seen }, index) => seen.done > (done[index] ?? 0)),
    );
  }
  const ends = await Promise.all(workers.map((worker) => worker.stop()));
  expect(ends.flatMap(({ errors }) => errors)).toEqual([]);
});

test("who does not end his transaction is named, can be cut, and holds nobody else up", async () => {
  const settings = await stage.settings();
  const pooler = stage.pooler(settings);
  await pooler.ensure(planOf(1, a), signal);
  await using blocker = await connect(settings);
  await blocker.query("SET application_name = 'nightly'; BEGIN; SELECT 1");
  const held = await pooler.hold(LIMITS, signal);
  expect(held.kind === "busy" && held.blockers.join()).toMatch(/^app: shop@127\.0\.0\.1:\d+/);
  await using other = await connect(settings);
  const waiting = other.query("SELECT 3 AS n");
  await pooler.release(signal);
  // On 1.18 the kernel destroys the socket of the server where it may; the session of the blocker ends with it.
  expect((await waiting).rows).toEqual([{ n: 3 }]);
  await blocker.query("COMMIT");
  expect(await pooler.hold(LIMITS, signal)).toEqual({ kind: "held" });
  await pooler.release(signal);
});

test("an agent that is killed while it holds leaves no client waiting for ever", async () => {
  const settings = await stage.settings();
  const pooler = stage.pooler(settings);
  await pooler.ensure(planOf(1, a), signal);
  const program = join(stage.root, "agent.mjs");
  await bundle("test/real/pooler-agent.ts", program);
  const { releaser } = stage;
  const agent = spawn(
    process.execPath,
    [program, JSON.stringify({ settings, releaser, limitMs: 1500 })],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const [said] = await once(agent.stdout, "data");
  expect(String(said)).toBe("held\n");
  agent.kill("SIGKILL");
  await once(agent, "exit");
  const [paused] = (await pooler.look(signal)).processes;
  expect(paused?.paused).toBe(true);
  await using client = await connect(settings);
  expect((await client.query("SELECT 5 AS n")).rows).toEqual([{ n: 5 }]);
});

test("a new password is taken over with the next look at the file", async () => {
  const settings = await stage.settings();
  const pooler = stage.pooler(settings);
  await a.query("CREATE ROLE rotated LOGIN PASSWORD 'old'");
  const file = settings.auth.file ?? "";
  writeFileSync(file, '"rotated" "old"\n');
  await pooler.ensure(planOf(1, a), signal);
  await using before = await connect(settings, { user: "rotated", password: "old" });
  await before.query("SELECT 1");
  await a.query("ALTER ROLE rotated PASSWORD 'new'");
  // The file is behind: PgBouncer lets the client in, and the server does not let PgBouncer in.
  await pooler.ensure({ ...planOf(2, a) }, signal);
  const behind = (async () => {
    await using client = await connect(settings, { user: "rotated", password: "old" });
    await client.query("SELECT 1");
  })();
  await expect(behind).rejects.toThrow(/password authentication failed/);
  expect(await pooler.refusals(await pooler.look(signal), signal)).toEqual([
    expect.stringMatching(/refuses the password of rotated that stands in auth\.file: put/),
  ]);
  writeFileSync(file, '"rotated" "new"\n');
  await pooler.ensure(planOf(2, a), signal);
  await using after = await connect(settings, { user: "rotated", password: "new" });
  await after.query("SELECT 1");
  expect(await pooler.refusals(await pooler.look(signal), signal)).toEqual([]);
  await expect(connect(settings, { user: "rotated", password: "old" })).rejects.toThrow(/SASL/);
});

test("while writes are closed their clients are refused, reads go on, and the next plan opens them", async () => {
  const settings = await stage.settings();
  const pooler = stage.pooler(settings);
  await pooler.ensure(planOf(1, a, [b]), signal);
  await using client = await connect(settings);
  await client.query("SELECT 1");
  await pooler.closeWrites(signal);
  await expect(client.query("SELECT 1")).rejects.toThrow();
  await expect(connect(settings)).rejects.toThrow(/disabled/);
  expect(await recovery(settings, "app_ro")).toBe(true);
  await pooler.ensure(planOf(1, a, [b]), signal);
  expect(await recovery(settings, "app")).toBe(false);
});

test("reads without a standby are refused with an error instead of waiting", async () => {
  const settings = await stage.settings();
  const pooler = stage.pooler(settings);
  await pooler.ensure(planOf(1, a), signal);
  await expect(connect(settings, { database: "app_ro" })).rejects.toThrow(/disabled/);
  await pooler.ensure(planOf(1, a, [b]), signal);
  expect(await recovery(settings, "app_ro")).toBe(true);
});

test("passwords come from the database when it is asked for them, and an expired one is none", async () => {
  const base = await stage.settings();
  const file = base.auth.file ?? "";
  const query = PASSWORD_QUERY;
  const auth = { type: "scram-sha-256", file, queryUser: "pgbouncer", query };
  const settings = { ...base, auth, databases: { app: base.databases["app"] ?? fail() } };
  expect(await stage.pooler(settings).ensure(planOf(1, a), signal).catch(asLines)).toEqual([
    `reading ${file}`,
    expect.stringMatching(/pgbouncer asks for the passwords of others; put its own into the file/),
    expect.stringMatching(/CONFIG_INVALID/),
  ]);
  writeFileSync(file, '"pgbouncer" "asks"\n');
  const pooler = stage.pooler(settings);
  await pooler.ensure(planOf(1, a), signal);
  await a.query(passwordFunctionSql("pgbouncer"));
  await a.query("ALTER ROLE pgbouncer PASSWORD 'asks'");
  await a.query("CREATE ROLE late LOGIN PASSWORD 'late' VALID UNTIL '2001-01-01'");
  await using client = await connect(settings);
  expect((await client.query("SELECT current_user AS who")).rows).toEqual([{ who: "shop" }]);
  await expect(connect(settings, { user: "late", password: "late" })).rejects.toThrow();
  await expect(connect(settings, { user: "postgres", password: "x" })).rejects.toThrow();
  // A rotated password holds at once: nothing has to be read again.
  await a.query("CREATE ROLE turned LOGIN PASSWORD 'one'");
  await using one = await connect(settings, { user: "turned", password: "one" });
  await one.query("SELECT 1");
  await a.query("ALTER ROLE turned PASSWORD 'two'");
  await using two = await connect(settings, { user: "turned", password: "two" });
  await two.query("SELECT 1");
});

test("what is linked to a server is cut, and who waits behind it is served", async () => {
  const settings = await stage.settings({ poolSize: 1 });
  const pooler = stage.pooler(settings);
  await pooler.ensure(planOf(1, a), signal);
  await using hung = await connect(settings);
  const running = hung.query("SELECT pg_sleep(600)").catch((error: Error) => error);
  await using waiting = await connect(settings);
  const served = waiting.query("SELECT 6 AS n");
  await until("one waits", async () => {
    const [process] = (await pooler.look(signal)).processes;
    return process?.pools.some((pool) => pool.clientsWaiting === 1) === true;
  });
  await pooler.cut(targetOf(a), signal);
  expect(await running).toBeInstanceOf(Error);
  expect((await served).rows).toEqual([{ n: 6 }]);
});

test("two thousand clients share twenty connections", async () => {
  const auth = { type: "trust", file: undefined, queryUser: undefined, query: undefined };
  const base = await stage.settings({ auth, maxClientConn: 2100 });
  const file = join(base.dir, "..", "trusted.txt");
  writeFileSync(file, '"shop" ""\n');
  const settings = { ...base, auth: { ...auth, file } };
  const pooler = stage.pooler(settings);
  await a.query(`ALTER ROLE shop PASSWORD '${PASSWORD}'`);
  writeFileSync(file, `"shop" "${PASSWORD}"\n`);
  await pooler.ensure(planOf(1, a), signal);
  const clients: Awaited<ReturnType<typeof connect>>[] = [];
  for (let batch = 0; batch < 20; batch += 1) {
    clients.push(...(await Promise.all(Array.from({ length: 100 }, () => connect(settings)))));
  }
  const answers = await Promise.all(clients.map((client) => client.query("SELECT 7 AS n")));
  expect(answers.filter(({ rows }) => rows[0].n === 7)).toHaveLength(2000);
  const [process] = (await pooler.look(signal)).processes;
  // 12 to 17 MB in three runs; several times that would be a leak.
  expect(process?.memoryBytes).toBeLessThan(64 * 1024 * 1024);
  const linked = process?.pools.map((pool) => pool.serversActive + pool.serversIdle) ?? [];
  expect(Math.max(...linked)).toBeLessThanOrEqual(20);
  await Promise.all(clients.map((client) => client.end()));
});

test("what a session leaves behind on a shared connection is seen on the server", async () => {
  const settings = await stage.settings({ poolSize: 1 });
  await stage.pooler(settings).ensure(planOf(1, a), signal);
  const { host } = a.settings.postgres.connectAddress;
  const traces = async () =>
    (await a.query(TRACES_SQL.replace("$1", `'${host}'`)))[0] as unknown as PoolTraces;
  const before = await traces();
  await using client = await connect(settings);
  await client.query("SELECT pg_advisory_lock(1)");
  await client.query("CREATE TEMP TABLE scratch (n int)");
  await client.query("SET statement_timeout = '1min'");
  const after = await traces();
  expect(after.advisoryLocks).toBe(before.advisoryLocks + 1);
  expect(after.temporaryTables).toBe(before.temporaryTables + 1);
  expect(after.settings).toBe(before.settings + 1);
  expect(modeWarnings("app", "transaction", after)).toHaveLength(3);
});

test("a planned move to the standby costs no client an error, and new sessions learn the new role", async () => {
  const settings = await stage.settings();
  const pooler = stage.pooler(settings);
  await pooler.ensure(planOf(1, a, [b]), signal);
  expect(await hotStandby(settings, "app_ro")).toBe("on");
  const workers = await Promise.all(
    Array.from({ length: 12 }, () => startWorker(settings, "INSERT INTO public.orders VALUES (1)")),
  );
  await using idle = await connect(settings);
  await idle.query("SELECT 1");
  expect(await pooler.hold({ ...LIMITS, drainMs: 5000 }, signal)).toEqual({ kind: "held" });
  await until("the standby has everything", () => b.hasCaughtUp(a));
  a.disconnect();
  asServer("pg_ctl", "-D", a.dataDir, "-m", "fast", "stop");
  asServer("pg_ctl", "-D", b.dataDir, "-w", "promote");
  await pooler.ensure(planOf(2, b, [b]), signal);
  await pooler.release(signal);
  const done = workers.map(({ seen }) => seen.done);
  await until("all are served by the new primary", () =>
    workers.every(({ seen }, index) => seen.done > (done[index] ?? 0)),
  );
  const ends = await Promise.all(workers.map((worker) => worker.stop()));
  expect(ends.flatMap(({ errors }) => errors)).toEqual([]);
  const { rows } = await idle.query("SELECT count(*)::int AS n FROM public.orders");
  expect(rows[0].n).toBe(ends.reduce((sum, one) => sum + one.done, 0));
  // The address of the reads has not changed; without RECONNECT sessions would be told `on` for ever.
  expect(await hotStandby(settings, "app_ro")).toBe("off");
});

/** What drivers look at when they search for a primary: told with the login, from what PgBouncer remembers. */
async function hotStandby(settings: Parameters<typeof connect>[0], database: string) {
  const client = new pg.Client({ ...settings.listen, database, user: "shop", password: PASSWORD });
  let told: string | undefined;
  // The driver's own event, which its types do not know.
  const { connection } = client as unknown as { connection: NodeJS.EventEmitter };
  connection.on("parameterStatus", ({ parameterName, parameterValue }) => {
    if (parameterName === "in_hot_standby") told = parameterValue;
  });
  await client.connect();
  await client.query("SELECT 1");
  await client.end();
  return told;
}

const asLines = (error: AppError): readonly string[] => error.lines();
const fail = (): never => {
  throw new Error("the stage has no such database");
};
