// Synchronous names on real servers: what a reload does, what the closed gate proves, and what a commit then waits for.
import { afterAll, beforeAll, expect, test } from "vitest";
import { Session } from "../../src/adapters/postgres/session.ts";
import type { SyncNames } from "../../src/model/sync.ts";
import { printSyncNames } from "../../src/model/sync.ts";
import { never, PostgresStage, type TestNode, until } from "../support/postgres-stage.ts";

const PROOF_LIMIT_MS = 5_000;

let stage: PostgresStage;
let a: TestNode;
let b: TestNode;
let c: TestNode;

beforeAll(async () => {
  stage = await PostgresStage.open();
  [a, b, c] = [await stage.node("a"), await stage.node("b"), await stage.node("c")];
  await a.bootstrap();
  await b.cloneFrom(a);
  await c.cloneFrom(a);
  await until("both stream", async () => (await a.sqlState()).senders.length === 2);
  await a.query("CREATE TABLE public.t (n int)");
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

/** An application's session: unlike ours it waits for the standbys. */
async function application(): Promise<Session> {
  const { connectAddress, superuser, database } = a.settings.postgres;
  const session = await Session.open(
    {
      ...connectAddress,
      user: superuser.username,
      password: superuser.password?.reveal(),
      database,
    },
    5_000,
  );
  await session.query("SET synchronous_commit = on", [], 5_000);
  return session;
}

const waitsInSyncRep = async (): Promise<boolean> => {
  const rows = await a.query(
    "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE 'INSERT%'",
  );
  return rows.length > 0;
};

/** A commit that is answered within its limit. On its way it may well be seen waiting for a standby. */
async function commitIsAnswered(): Promise<void> {
  const session = await application();
  await session.query("INSERT INTO public.t VALUES (1)", [], 20_000);
  session.destroy();
}

/** A commit that is seen waiting, with nobody there to answer it. */
async function commitWaits(): Promise<void> {
  const session = await application();
  let isAnswered = false;
  void session.query("INSERT INTO public.t VALUES (1)", [], 20_000).then(
    () => (isAnswered = true),
    () => undefined,
  );
  await until("answered or waiting", async () => isAnswered || (await waitsInSyncRep()));
  expect(isAnswered).toBe(false);
  await a.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'",
  );
  await until("nobody waits any more", async () => !(await waitsInSyncRep()));
  session.destroy();
}

const first = (...members: string[]): SyncNames => ({
  kind: "first",
  count: members.length,
  members,
});

test("a server that was never told is left to its user", async () => {
  expect((await a.look()).syncNames).toEqual({ kind: "unmanaged" });
  await commitIsAnswered();
});

test("without the gate there is no proof", async () => {
  expect(await a.postgres.proveClosed(200, never())).toMatchObject({ kind: "unproven" });
});

test("the closed gate is proven, and no commit is answered behind it", async () => {
  await a.postgres.setSyncNames({ kind: "closed" }, never());
  const gate = await a.postgres.proveClosed(PROOF_LIMIT_MS, never());
  expect(gate.kind).toBe("closed");
  expect((await a.look()).syncNames).toEqual({ kind: "closed" });
  await commitWaits();
});

test("named standbys open it again, and each walsender says by which names it goes", async () => {
  await a.postgres.setSyncNames(first("b"), never());
  await commitIsAnswered();
  await until("b's walsender knows", async () => {
    const { senders } = await a.sqlState();
    return senders.find(({ name }) => name === "b")?.syncPriority === 1;
  });
  const state = await a.sqlState();
  expect(state.syncNames).toBe(printSyncNames(first("b")));
  expect(state.senders.find(({ name }) => name === "c")?.syncPriority).toBe(0);
});

test("closing it over live standbys waits for every walsender", async () => {
  await a.postgres.setSyncNames({ kind: "any", count: 1, members: ["b", "c"] }, never());
  await commitIsAnswered();
  await a.postgres.setSyncNames({ kind: "closed" }, never());
  expect((await a.postgres.proveClosed(PROOF_LIMIT_MS, never())).kind).toBe("closed");
  expect((await a.sqlState()).senders.every(({ syncPriority }) => syncPriority === 0)).toBe(true);
});

test("ours is stronger than the user's parameter and than ALTER SYSTEM", async () => {
  a.plan = { ...a.plan, parameters: { synchronous_standby_names: "c" } };
  await a.postgres.applySettings(a.plan, never());
  await a.query("ALTER SYSTEM SET synchronous_standby_names = 'nobody_at_all'");
  await a.postgres.setSyncNames(first("b"), never());
  expect((await a.sqlState()).syncNames).toBe(printSyncNames(first("b")));
  expect((await a.look()).settingsStale).toBe(false);
  await a.postgres.setSyncNames({ kind: "unmanaged" }, never());
  await until("the user's own", async () => (await a.sqlState()).syncNames === "c");
});

test("a read on the standby after a remote_apply commit is never stale, and one after on may be", async () => {
  await a.postgres.setSyncNames(first("b"), never());
  await b.query("SELECT pg_wal_replay_pause()");
  const session = await application();
  await session.query("CREATE TABLE public.r (n int)", [], 5_000);
  await session.query("INSERT INTO public.r VALUES (0)", [], 5_000);
  expect(await b.query("SELECT to_regclass('public.r')::text AS r")).toEqual([{ r: null }]);
  await b.query("SELECT pg_wal_replay_resume()");
  await session.query("SET synchronous_commit = remote_apply", [], 5_000);
  for (let n = 1; n <= 200; n++) {
    await session.query("INSERT INTO public.r VALUES ($1)", [n], 5_000);
    expect(await b.query("SELECT max(n) AS n FROM public.r")).toEqual([{ n }]);
  }
  session.destroy();
});

test("local and off wait for no standby", async () => {
  await a.postgres.setSyncNames({ kind: "closed" }, never());
  const session = await application();
  for (const level of ["local", "off"]) {
    await session.query(`SET synchronous_commit = ${level}`, [], 5_000);
    await session.query("INSERT INTO public.t VALUES (2)", [], 5_000);
  }
  expect(await a.query("SELECT count(*)::int AS n FROM public.t WHERE n = 2")).toEqual([{ n: 2 }]);
  session.destroy();
  await a.postgres.setSyncNames({ kind: "unmanaged" }, never());
});
