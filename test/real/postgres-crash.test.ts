// How a server ends, well and badly: what is left in its files, who is waited for, where its WAL ends.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readControlFile } from "../../src/adapters/postgres/control-data.ts";
import { quickPostmaster } from "../../src/adapters/postgres/process.ts";
import { Session } from "../../src/adapters/postgres/session.ts";
import { lookAtServer } from "../../src/adapters/system/server-look.ts";
import { type Lsn, lsn, parseLsn } from "../../src/model/lsn.ts";
import { FIRST_BRANCH } from "../../src/model/timeline.ts";
import {
  never,
  PLAN,
  PostgresStage,
  START_LIMIT_MS,
  type TestNode,
  until,
} from "../support/postgres-stage.ts";

const SCAN_LIMIT_MS = 5000;

let stage: PostgresStage;
let a: TestNode;
let b: TestNode;

beforeAll(async () => {
  stage = await PostgresStage.open();
  [a, b] = [await stage.node("a"), await stage.node("b")];
  await a.bootstrap();
  await a.query("CREATE TABLE public.t (n int, filler text)");
  await b.cloneFrom(a);
  await until("b streams", () => b.isStreaming());
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

const killPostmasterAndAll = async (node: TestNode): Promise<void> => {
  const report = await node.fence.killServer(0, 10_000, never());
  expect(report).toEqual({ down: true, remaining: 0 });
};

const flushed = async (node: TestNode): Promise<Lsn> =>
  parseLsn(
    String((await node.query("SELECT pg_current_wal_flush_lsn()::text AS at"))[0]?.["at"]),
  ) ?? lsn(0);

test("the end of a crashed server's WAL is the last flushed byte", async () => {
  await a.query("INSERT INTO public.t VALUES (1)");
  const from = await flushed(a);
  await a.query("INSERT INTO public.t SELECT n, repeat('x', 500) FROM generate_series(1, 5000) n");
  // Nothing else writes for a moment, so what is flushed now is what the crash leaves.
  await a.postgres.checkpoint(never());
  let end = await flushed(a);
  await until("nothing more is written", async () => {
    const before = end;
    end = await flushed(a);
    return before === end;
  });
  await killPostmasterAndAll(a);
  const found = await a.postgres.crashEnd(from, [FIRST_BRANCH], SCAN_LIMIT_MS, never());
  expect(found).toEqual({ kind: "end", lsn: end });
});

test("on another branch, or while a server lives, the end is unknown", async () => {
  const other = [{ ...FIRST_BRANCH, term: 9 }];
  const elsewhere = await a.postgres.crashEnd(lsn(1), other, SCAN_LIMIT_MS, never());
  expect(elsewhere.kind).toBe("unknown");
  await a.postgres.startPrimary(PLAN, START_LIMIT_MS, never());
  const alive = await a.postgres.crashEnd(lsn(1), [FIRST_BRANCH], SCAN_LIMIT_MS, never());
  expect(alive.kind).toBe("unknown");
});

test("after kill -9 under write load no acknowledged row lies beyond the end that is found", async () => {
  for (let round = 0; round < 3; round++) {
    const acknowledged = await writeUntilKilled(a);
    const from = (await b.sqlState()).position;
    const found = await a.postgres.crashEnd(from, [FIRST_BRANCH], SCAN_LIMIT_MS, never());
    expect(found.kind).toBe("end");
    await a.postgres.startPrimary(PLAN, START_LIMIT_MS, never());
    // Recovery replays to exactly that end and writes on from there.
    const control = await readControlFile(a.dataDir);
    const end = found.kind === "end" ? found.lsn : lsn(0);
    expect(control?.checkpointLsn).toBeGreaterThanOrEqual(end);
    expect(Number((control?.checkpointLsn ?? lsn(0)) - end)).toBeLessThanOrEqual(40);
    expect(acknowledged.at).toBeLessThanOrEqual(end);
    await until("b streams again", () => b.isStreaming());
  }
});

/** Writers that note the WAL position of their last acknowledged row, until the server is killed under them. */
async function writeUntilKilled(node: TestNode): Promise<{ at: Lsn }> {
  const { connectAddress, superuser, database } = node.settings.postgres;
  const password = superuser.password?.reveal();
  const target = { ...connectAddress, user: superuser.username, password, database };
  const last = { at: lsn(0), count: 0 };
  const write = async (): Promise<void> => {
    using session = await Session.open(target, 5000);
    for (;;) {
      await session.query("INSERT INTO public.t VALUES (1, repeat('y', 3000))", [], 5000);
      const [row] = await session.query("SELECT pg_current_wal_flush_lsn()::text AS at", [], 5000);
      const at = parseLsn(String(row?.["at"])) ?? lsn(0);
      if (at > last.at) last.at = at;
      last.count += 1;
    }
  };
  const writers = [write(), write(), write(), write()].map((one) => one.catch(() => undefined));
  await until("rows have been written", () => last.count > 400);
  await killPostmasterAndAll(node);
  await Promise.all(writers);
  return last;
}

test("a stop does not wait for a walreceiver that is silent", async () => {
  const receivers = lookAtServer({ dataDir: b.dataDir }).processes.filter(({ pid }) =>
    titleOf(pid).includes("walreceiver"),
  );
  expect(receivers).toHaveLength(1);
  for (const { pid } of receivers) process.kill(pid, "SIGSTOP");
  try {
    await a.query("INSERT INTO public.t VALUES (2)");
    let end: Lsn | undefined;
    const tellEnd = async (at: Lsn): Promise<void> => {
      end = at;
    };
    // The server itself would wait for wal_sender_timeout; were that the case, the limit would force an unclean end.
    await a.postgres.stop(4000, tellEnd, never());
    expect(await a.look()).toMatchObject({
      process: { kind: "down" },
      control: { state: "shut down", checkpointEnd: end },
    });
  } finally {
    for (const { pid } of receivers) process.kill(pid, "SIGCONT");
  }
});

test("SIGQUIT after the shutdown is harmless: the next start recovers nothing", async () => {
  const before = await readControlFile(a.dataDir);
  expect(before?.state).toBe("shut down");
  await a.postgres.startPrimary(PLAN, START_LIMIT_MS, never());
  const after = await readControlFile(a.dataDir);
  // A recovery would have ended with a checkpoint of its own.
  expect(after).toMatchObject({ state: "in production", checkpointLsn: before?.checkpointLsn });
});

test("a client in the midst of writing does not hold a stop", async () => {
  const loop = a.query(
    "DO $$ BEGIN LOOP INSERT INTO public.t VALUES (3); COMMIT; END LOOP; END $$",
  );
  const ended = loop.catch((error: unknown) => error);
  await until("the loop runs", async () => {
    const { position } = await a.sqlState();
    return (await a.sqlState()).position > position;
  });
  await a.postgres.stop(10_000, undefined, never());
  expect(await ended).toMatchObject({ code: "PG_SQL_FAILED" });
  expect((await readControlFile(a.dataDir))?.state).toBe("shut down");
  a.disconnect();
});

test("a stopped postmaster is seen, and the fence ends it when the stop runs out of time", async () => {
  await a.postgres.startPrimary(PLAN, START_LIMIT_MS, never());
  const postmaster = quickPostmaster(a.dataDir);
  process.kill(postmaster?.pid ?? 0, "SIGSTOP");
  await until("the look says stopped", async () => {
    const { process: seen } = await a.look();
    return seen.kind === "running" && seen.accepting === "stopped";
  });
  await a.postgres.stop(300, undefined, never());
  expect((await a.look()).process).toEqual({ kind: "down" });
  expect((await readControlFile(a.dataDir))?.state).toBe("in production");
});

test("backends without a postmaster are orphans", async () => {
  await a.postgres.startPrimary(PLAN, START_LIMIT_MS, never());
  const loop = a.query("DO $$ BEGIN LOOP PERFORM 1; END LOOP; END $$").catch(() => undefined);
  await until("the loop runs", async () => {
    const statement = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'DO %' AND state = 'active'";
    using session = await Session.open(
      {
        host: a.settings.postgres.socketDir,
        port: a.settings.postgres.port,
        user: "postgres",
        password: undefined,
        database: "postgres",
      },
      5000,
    );
    return (await session.query(statement, [], 5000)).length > 0;
  });
  process.kill(quickPostmaster(a.dataDir)?.pid ?? 0, "SIGKILL");
  await until("orphans are seen", async () => (await a.look()).process.kind === "orphans");
  await killPostmasterAndAll(a);
  expect((await a.look()).process).toEqual({ kind: "down" });
  await loop;
});

function titleOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
