// The same adapter on every major version that is supported: these servers come without client programs.
import { execFileSync } from "node:child_process";
import { afterEach, expect, test } from "vitest";
import { readControlFile } from "../../src/adapters/postgres/control-data.ts";
import { type Lsn, lsn } from "../../src/model/lsn.ts";
import { type Branch, FIRST_BRANCH } from "../../src/model/timeline.ts";
import { type EmbeddedMajor, embeddedBin } from "../servers/find.ts";
import { never, PLAN, PostgresStage, START_LIMIT_MS, until } from "../support/postgres-stage.ts";

const majors: readonly EmbeddedMajor[] = [14, 16, 17, 18];
const plan = { ...PLAN, parameters: { work_mem: "5MB", wal_level: "logical" } };

let stage: PostgresStage | undefined;

afterEach(async () => {
  await stage?.[Symbol.asyncDispose]();
  stage = undefined;
});

test.each(majors)("PostgreSQL %i is initialised, followed, stopped and promoted", async (major) => {
  stage = await PostgresStage.open();
  const binDir = embeddedBin(major);
  const a = await stage.node("a", { binDir });
  const b = await stage.node("b", { binDir });
  b.plan = plan;
  await a.bootstrap(plan);
  await a.query("CREATE TABLE public.t (n int)");
  const state = await a.sqlState();
  expect(Math.floor(state.version / 10_000)).toBe(major);
  expect(state).toMatchObject({ inRecovery: false, timeline: 1, pendingRestart: [] });
  const settings = "SELECT name, setting FROM pg_settings WHERE name = ANY('{wal_level,work_mem}')";
  expect(await a.query(`${settings} ORDER BY 1`)).toEqual([
    { name: "wal_level", setting: "logical" },
    { name: "work_mem", setting: "5120" },
  ]);
  const rules = "SELECT count(*)::int AS n FROM pg_hba_file_rules WHERE error IS NOT NULL";
  expect(await a.query(rules)).toEqual([{ n: 0 }]);

  // The control file as the server itself reads it.
  const [told] =
    await a.query(`SELECT s.system_identifier::text AS id, s.pg_control_version AS version,
    c.checkpoint_lsn::text AS at, c.timeline_id AS timeline, i.bytes_per_wal_segment AS segment
    FROM pg_control_system() s, pg_control_checkpoint() c, pg_control_init() i`);
  const control = await readControlFile(a.dataDir);
  expect(told).toEqual({
    id: control?.systemId,
    version: control?.controlVersion,
    at: expect.any(String),
    timeline: control?.timeline,
    segment: control?.segmentSize,
  });
  expect(control).toMatchObject({
    walLogHints: true,
    dataChecksums: true,
    limits: { max_connections: 100, max_wal_senders: 10, max_worker_processes: 8 },
  });

  await a.postgres.stop(10_000, undefined, never());
  execFileSync("cp", ["-a", a.dataDir, b.dataDir]);
  await a.postgres.startPrimary(plan, START_LIMIT_MS, never());
  await a.postgres.syncSlots(["b"], [], {}, never());
  await b.fence.ensure(never());
  await b.postgres.recordLineage([FIRST_BRANCH], never());
  await b.postgres.startStandby(plan, a.upstream("b"), START_LIMIT_MS, never());
  await until("the standby streams", () => b.isStreaming());
  expect((await a.sqlState()).slots).toMatchObject([{ name: "b", active: true }]);
  await a.query("INSERT INTO public.t SELECT generate_series(1, 1000)");
  await until("the standby has caught up", () => b.hasCaughtUp(a));
  expect(await b.sqlState()).toMatchObject({ inRecovery: true, exhausted: true, timeline: 1 });

  await b.postgres.syncSlots(["a"], [], {}, never());
  const behind = (await b.sqlState()).slots[0]?.restartLsn ?? lsn(0);
  await a.query("INSERT INTO public.t SELECT generate_series(1, 1000)");
  await until("the standby has caught up again", () => b.hasCaughtUp(a));
  const { position } = await b.sqlState();
  await b.postgres.syncSlots([], [], { a: position }, never());
  const moved = (await b.sqlState()).slots[0]?.restartLsn ?? lsn(0);
  expect(moved).toBeGreaterThan(behind);

  let end: Lsn = lsn(0);
  await a.postgres.stop(
    10_000,
    async (at) => {
      end = at;
      await until("the heir has it all", async () => (await b.sqlState()).position >= at);
    },
    never(),
  );
  expect((await a.look(plan)).control).toMatchObject({ state: "shut down", checkpointEnd: end });
  expect((await b.sqlState()).position).toBe(end);

  const branch: Branch = { timeline: 3, parent: 1, forkLsn: lsn(0), term: 9 };
  const begun = await b.postgres.promote(branch, 20_000, never());
  expect(begun).toEqual({ ...branch, forkLsn: end });
  await b.query("INSERT INTO public.t VALUES (1)");
  expect(await b.sqlState()).toMatchObject({ inRecovery: false, timeline: 3 });
  await b.postgres.syncSlots(["a"], ["nobody"], {}, never());
  await a.postgres.startStandby(plan, b.upstream("a"), START_LIMIT_MS, never());
  await until("the old primary has caught up", () => a.hasCaughtUp(b));
  await b.postgres.syncSlots([], ["a"], {}, never());
  expect((await b.sqlState()).slots).toMatchObject([{ name: "a", active: true }]);
});
