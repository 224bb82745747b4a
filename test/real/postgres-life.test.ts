// A server's whole life: initialised, copied, followed, stopped, promoted, rewound.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Lsn, lsn } from "../../src/model/lsn.ts";
import { type Branch, FIRST_BRANCH, type Lineage } from "../../src/model/timeline.ts";
import {
  asServer,
  never,
  PLAN,
  PostgresStage,
  START_LIMIT_MS,
  type TestNode,
  until,
} from "../support/postgres-stage.ts";

let stage: PostgresStage;
let a: TestNode;
let b: TestNode;
let c: TestNode;

beforeAll(async () => {
  stage = await PostgresStage.open();
  [a, b, c] = [await stage.node("a"), await stage.node("b"), await stage.node("c")];
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

test("an empty directory becomes a primary with roles, guarded and reachable by password", async () => {
  expect((await a.look()).directory).toBe("missing");
  await a.bootstrap({ ...PLAN, parameters: { wal_level: "logical" } });
  const seen = await a.look();
  expect(seen.process).toMatchObject({ kind: "running", accepting: "yes", guarded: true });
  expect(seen).toMatchObject({ directory: "data", standbySignal: false, settingsStale: false });
  expect(seen.lineage).toEqual([FIRST_BRANCH]);
  expect(seen.sql).toMatchObject({ kind: "known", value: { inRecovery: false, timeline: 1 } });
  const roles = "SELECT rolname FROM pg_roles WHERE rolname ~ '^re' ORDER BY 1";
  expect(await a.query(roles)).toEqual([{ rolname: "replicator" }, { rolname: "rewinder" }]);
  await a.query("CREATE TABLE public.t (n int)");
});

test("the control file is read as pg_controldata reads it", async () => {
  const told = asServer("pg_controldata", a.dataDir);
  const { control } = await a.look();
  expect(told).toContain(`Database system identifier:           ${control?.systemId}`);
  expect(told).toMatch(new RegExp(`Catalog version number: +${control?.catalogVersion}`));
});

test("finishing the bootstrap twice changes nothing", async () => {
  await a.postgres.finishBootstrap(never());
  expect(await a.query("SELECT count(*)::int AS n FROM pg_roles WHERE rolcanlogin")).toEqual([
    { n: 3 },
  ]);
});

test("two members are cloned and stream through their slots", async () => {
  await b.cloneFrom(a);
  await c.cloneFrom(a);
  await until("both stream", async () => (await b.isStreaming()) && (await c.isStreaming()));
  const { senders, slots } = await a.sqlState();
  expect(senders.map(({ name }) => name).toSorted()).toEqual(["b", "c"]);
  expect(slots.every(({ active }) => active)).toBe(true);
  const standby = await b.look();
  expect(standby.standbySignal).toBe(true);
  expect(standby.sql).toMatchObject({
    value: {
      inRecovery: true,
      exhausted: true,
      timeline: 1,
      upstream: a.upstream().host + ":" + a.upstream().port,
    },
  });
});

test("only idle slots of our own making are dropped", async () => {
  await a.query("SELECT pg_create_physical_replication_slot('theirs')");
  await a.postgres.syncSlots(["spare", "theirs"], [], {}, never());
  const names = async (): Promise<readonly string[]> =>
    (await a.sqlState()).slots.map(({ name }) => name).toSorted();
  expect(await names()).toEqual(["b", "c", "spare", "theirs"]);
  expect((await a.look()).ownSlots).toEqual(["b", "c", "spare"]);
  await a.postgres.syncSlots([], ["b", "spare"], {}, never());
  expect(await names()).toEqual(["b", "c", "theirs"]);
  expect((await a.look()).ownSlots).toEqual(["b", "c"]);
  await a.query("SELECT pg_drop_replication_slot('theirs')");
});

test("a logical slot is made in its database, and one that cannot be keeps no other from it", async () => {
  const made = { name: "cdc", logical: { database: "postgres", plugin: "pgoutput" } } as const;
  const broken = { name: "odd", logical: { database: "nowhere", plugin: "pgoutput" } } as const;
  const slots = [broken, made].map((slot) => ({ ...slot, only: undefined }));
  const attempt = a.postgres.createLogicalSlots(slots, never());
  await expect(attempt).rejects.toMatchObject({ code: "PG_SQL_FAILED", why: /^odd: / });
  await a.postgres.createLogicalSlots([{ ...made, only: undefined }], never());
  const state = await a.sqlState();
  expect(state.walLevel).toBe("logical");
  expect(state.slots.find(({ name }) => name === "cdc")).toMatchObject({
    kind: "logical",
    logical: { database: "postgres", plugin: "pgoutput" },
  });
  await a.query("SELECT pg_drop_replication_slot('cdc')");
});

test("a clean stop tells the end of WAL, and the standby has every byte of it", async () => {
  await a.query("INSERT INTO public.t SELECT generate_series(1, 1000)");
  await a.postgres.checkpoint(never());
  let end: Lsn = lsn(0);
  const hasLastByte = async (): Promise<boolean> => (await b.sqlState()).position >= end;
  await a.postgres.stop(
    10_000,
    async (at) => {
      end = at;
      await until("the standby has the last byte", hasLastByte);
    },
    never(),
  );
  expect(end).toBeGreaterThan(0n);
  const seen = await a.look();
  expect(seen.process).toEqual({ kind: "down" });
  expect(seen.control).toMatchObject({ state: "shut down", checkpointEnd: end });
  await until("b has replayed it", async () => (await b.sqlState()).replayedLsn === end);
});

const second: Branch = { timeline: 4, parent: 1, forkLsn: lsn(0), term: 40 };
let begun: Branch;

test("a promotion takes exactly the reserved timeline and skips the numbers between", async () => {
  begun = await b.postgres.promote(second, 10_000, never());
  expect(begun).toMatchObject({ timeline: 4, parent: 1, term: 40 });
  expect(begun.forkLsn).toBeGreaterThan(0n);
  const seen = await b.look();
  expect(seen.sql).toMatchObject({ value: { inRecovery: false, timeline: 4 } });
  expect(seen.lineage).toEqual([FIRST_BRANCH, begun]);
  expect(seen.standbySignal).toBe(false);
});

test("another standby finds its way across the skipped numbers", async () => {
  await b.postgres.syncSlots(["a", "c"], [], {}, never());
  await c.postgres.follow(b.upstream("c"), never());
  await b.query("INSERT INTO public.t VALUES (0)");
  await until("c streams on timeline 4", async () => {
    const state = await c.sqlState();
    return state.walReceiver?.status === "streaming" && state.walReceiver.timeline === 4;
  });
  await until("c has caught up", () => c.hasCaughtUp(b));
  await c.postgres.recordLineage([FIRST_BRANCH, begun], never());
  expect((await c.look()).lineage).toEqual([FIRST_BRANCH, begun]);
});

test("a cleanly stopped old primary that did not diverge follows without a rewind", async () => {
  await a.postgres.startStandby(PLAN, b.upstream("a"), START_LIMIT_MS, never());
  await until("a has caught up", () => a.hasCaughtUp(b));
  await a.postgres.recordLineage([FIRST_BRANCH, begun], never());
  expect((await a.sqlState()).upstream).toBe((await c.sqlState()).upstream);
});

interface Spoilt {
  readonly spoil: string;
  readonly mend: string;
}

/** What the source lacks is named before anything is touched: the directory is data as before, and not marked. */
async function expectNamed(lineage: Lineage, why: string, { spoil, mend }: Spoilt): Promise<void> {
  const apply = async (statement: string) => {
    await c.query(statement);
    const before = await c.query("SELECT pg_conf_load_time()::text AS at, pg_reload_conf()");
    await until("the settings are read", async () => {
      const [now] = await c.query("SELECT pg_conf_load_time()::text AS at");
      return now?.["at"] !== before[0]?.["at"];
    });
  };
  await apply(spoil);
  const rewind = b.postgres.rewind(c.upstream("b"), lineage, () => undefined, never());
  await expect(rewind).rejects.toMatchObject({
    code: "PG_REWIND_FAILED",
    why: expect.stringContaining(why),
  });
  await apply(mend);
  expect((await b.look()).directory).toBe("data");
}

test("a diverged old primary is rewound after a crash, and streams again", async () => {
  const third: Branch = { timeline: 5, parent: 4, forkLsn: lsn(0), term: 41 };
  await c.postgres.follow(undefined, never());
  await b.query("INSERT INTO public.t VALUES (-1)");
  await b.fence.killServer(0, 10_000, never());
  const last = await c.postgres.promote(third, 10_000, never());
  await c.query("INSERT INTO public.t VALUES (-2)");
  await c.postgres.syncSlots(["a", "b"], [], {}, never());
  const lineage = [FIRST_BRANCH, begun, last];
  await expectNamed(lineage, "full_page_writes is off on the source", {
    spoil: "ALTER SYSTEM SET full_page_writes = off",
    mend: "ALTER SYSTEM RESET full_page_writes",
  });
  const files = "EXECUTE ON FUNCTION pg_read_binary_file(text, bigint, bigint, boolean)";
  await expectNamed(lineage, "rewinder may not read the source's files", {
    spoil: `REVOKE ${files} FROM rewinder`,
    mend: `GRANT ${files} TO rewinder`,
  });
  const phases = new Set<string>();
  await b.postgres.rewind(c.upstream("b"), lineage, ({ phase }) => phases.add(phase), never());
  expect([...phases]).toEqual(["checking", "rewinding"]);
  expect(await b.look()).toMatchObject({ directory: "data", standbySignal: true });
  await b.postgres.startStandby(PLAN, c.upstream("b"), START_LIMIT_MS, never());
  await until("b has caught up", () => b.hasCaughtUp(c));
  expect(await b.query("SELECT n FROM public.t WHERE n < 0")).toEqual([{ n: -2 }]);
  expect((await b.look()).lineage).toEqual(lineage);
});

test("the same timeline number under another term is no base for a rewind", async () => {
  await b.postgres.stop(10_000, undefined, never());
  const { lineage } = await b.look();
  const twins = lineage.map((one) => (one.timeline === 5 ? { ...one, term: 99 } : one));
  const rewind = b.postgres.rewind(c.upstream("b"), twins, () => undefined, never());
  await expect(rewind).rejects.toMatchObject({ code: "PG_REWIND_FAILED" });
  expect(await b.look()).toMatchObject({ directory: "data", lineage });
});

test("an interrupted rewind is never continued, only replaced by a clone", async () => {
  const { lineage } = await b.look();
  writeFileSync(join(b.stateDir, "rebuild.json"), '{"work":"rewind"}\n');
  const rewind = b.postgres.rewind(c.upstream("b"), lineage, () => undefined, never());
  await expect(rewind).rejects.toMatchObject({ code: "PG_REWIND_FAILED" });
  expect((await b.look()).directory).toBe("marked");
  const nowhere = { ...c.upstream(), port: b.settings.postgres.port };
  const failed = b.postgres.clone(nowhere, lineage, () => undefined, never());
  await expect(failed).rejects.toMatchObject({ code: "PG_CLONE_FAILED" });
  expect((await b.look()).directory).toBe("marked");
  await b.cloneFrom(c, lineage);
  await until("b has caught up", () => b.hasCaughtUp(c));
  expect(await b.look()).toMatchObject({ directory: "data", standbySignal: true, lineage });
  await until("the replaced directory is gone", () => !existsSync(`${b.dataDir}.old`));
});
