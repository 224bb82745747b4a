// What every server adapter promises, whoever plays it: PostgreSQL or the simulator. One story, told in order.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Lsn, lsn } from "../../src/model/lsn.ts";
import type { LocalServer, SqlState } from "../../src/model/server.ts";
import { type Branch, FIRST_BRANCH, type Lineage } from "../../src/model/timeline.ts";
import type { Fence } from "../../src/ports/fence.ts";
import type { Postgres, ServerPlan, Upstream } from "../../src/ports/postgres.ts";

export interface ServerUnderTest {
  readonly postgres: Postgres;
  readonly fence: Fence;
  upstream(slot?: string): Upstream;
  /** Writes a row on the running primary; it is flushed when this resolves. */
  write(): Promise<void>;
  /** What an agent leaves behind that dies in a rewind. */
  leaveMark(): Promise<void>;
}

export interface PostgresUnderTest {
  server(name: "a" | "b" | "c"): Promise<ServerUnderTest>;
  /** Nobody listens there. */
  readonly nowhere: Upstream;
  /** Lets a little time pass. */
  pass(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export const PLAN: ServerPlan = { parameters: {}, pgHba: [], pgIdent: [], members: 3 };
const OTHER_PLAN: ServerPlan = { ...PLAN, parameters: { work_mem: "5MB" } };
const MOST_LOOKS = 1_500;
const LOOK_MS = 5_000;
const START_MS = 30_000;
const STOP_MS = 10_000;
/** Skips two numbers: the server by itself would take 2. */
const SECOND: Branch = { timeline: 4, parent: 1, forkLsn: lsn(0), term: 40 };
const THIRD: Branch = { timeline: 5, parent: 4, forkLsn: lsn(0), term: 41 };

const never = (): AbortSignal => new AbortController().signal;
const nothing = (): void => undefined;
const look = (s: ServerUnderTest, plan = PLAN): Promise<LocalServer> =>
  s.postgres.observe(plan, LOOK_MS);

async function sqlOf(s: ServerUnderTest): Promise<SqlState> {
  const { sql } = await look(s);
  if (sql.kind === "unknown") throw new Error(sql.why);
  return sql.value;
}

/** A running server answers with its timeline and its role. */
const answers = (inRecovery: boolean, timeline: number) => ({
  kind: "known",
  value: { inRecovery, timeline },
});

export function postgresContract(name: string, make: () => Promise<PostgresUnderTest>): void {
  describe(`${name} keeps a server's promises`, () => {
    let stage: PostgresUnderTest;
    let a: ServerUnderTest;
    let b: ServerUnderTest;
    let c: ServerUnderTest;
    let second: Branch;
    let lineage: Lineage;
    let slotsBefore: SqlState["slots"];

    beforeAll(async () => {
      stage = await make();
      [a, b, c] = [await stage.server("a"), await stage.server("b"), await stage.server("c")];
      for (const { fence } of [a, b, c]) await fence.ensure(never());
    });
    afterAll(() => stage[Symbol.asyncDispose]());

    async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
      for (let n = 0; !(await isTrue()); n++) {
        if (n > MOST_LOOKS) throw new Error(`waited in vain: ${what}`);
        await stage.pass();
      }
    }
    const streams = (s: ServerUnderTest, timeline: number) =>
      until(`streaming on timeline ${timeline}`, async () => {
        const { sql } = await look(s);
        return sql.kind === "known" && sql.value.walReceiver?.timeline === timeline;
      });
    const hasAll = async (s: ServerUnderTest, of: ServerUnderTest): Promise<void> => {
      const { position } = await sqlOf(of);
      await until(
        "it has every byte",
        async () => ((await sqlOf(s)).replayedLsn ?? 0n) >= position,
      );
    };
    async function join(s: ServerUnderTest, slot: string, to: ServerUnderTest, its: Lineage) {
      await to.postgres.syncSlots([slot], [], {}, never());
      await s.postgres.clone(to.upstream(slot), its, nothing, never());
      await s.postgres.startStandby(PLAN, to.upstream(slot), START_MS, never());
    }

    it("initialises an empty place, once, and leaves the server down", async () => {
      expect(["missing", "empty"]).toContain((await look(a)).directory);
      await a.postgres.initialise(PLAN, () => undefined, never());
      const seen = await look(a);
      expect(seen).toMatchObject({ directory: "data", process: { kind: "down" } });
      expect(seen.control).toMatchObject({ state: "shut down", timeline: 1 });
      expect(seen.standbySignal).toBe(false);
      expect(seen.sql.kind).toBe("unknown");
      const again = a.postgres.initialise(PLAN, () => undefined, never());
      await expect(again).rejects.toMatchObject({ code: "PG_DATA_FOREIGN" });
    });

    it("starts a primary that its fence guards, with the settings of the plan", async () => {
      await a.postgres.startPrimary(PLAN, START_MS, never());
      await a.postgres.recordLineage([FIRST_BRANCH], never());
      await a.postgres.finishBootstrap(never());
      const seen = await look(a);
      expect(seen.process).toMatchObject({ kind: "running", accepting: "yes", guarded: true });
      expect(seen).toMatchObject({ standbySignal: false, settingsStale: false });
      expect(seen.sql).toMatchObject(answers(false, 1));
      expect(seen.control?.state).toBe("in production");
      expect(seen.lineage).toEqual([FIRST_BRANCH]);
      const again = a.postgres.startPrimary(PLAN, START_MS, never());
      await expect(again).rejects.toMatchObject({ code: "NOT_POSSIBLE" });
    });

    it("tells settings that are stale from those that are applied", async () => {
      expect((await look(a, OTHER_PLAN)).settingsStale).toBe(true);
      await a.postgres.applySettings(OTHER_PLAN, never());
      expect((await look(a, OTHER_PLAN)).settingsStale).toBe(false);
      expect((await look(a, PLAN)).settingsStale).toBe(true);
      await a.postgres.applySettings(PLAN, never());
      expect((await look(a)).settingsStale).toBe(false);
    });

    it("keeps slots: made once, moved forwards only and never past its own end, dropped", async () => {
      const slot = async () => (await sqlOf(a)).slots.find(({ name: n }) => n === "spare");
      const { position } = await sqlOf(a);
      await a.postgres.syncSlots(["spare"], [], {}, never());
      await a.postgres.syncSlots(["spare"], [], {}, never());
      const made = await slot();
      expect(made).toMatchObject({ kind: "physical", active: false });
      await a.write();
      const end = (await sqlOf(a)).position;
      expect(end).toBeGreaterThan(position);
      await a.postgres.syncSlots([], [], { spare: end }, never());
      expect((await slot())?.restartLsn).toBe(end);
      await a.postgres.syncSlots([], [], { spare: position }, never());
      expect((await slot())?.restartLsn).toBe(end);
      await a.postgres.syncSlots([], [], { spare: lsn(end + 0x1000000n), gone: end }, never());
      const moved = (await slot())?.restartLsn ?? 0n;
      expect(moved).toBeGreaterThanOrEqual(end);
      expect(moved).toBeLessThanOrEqual((await sqlOf(a)).position);
      await a.postgres.syncSlots([], ["spare", "gone"], {}, never());
      expect(await slot()).toBeUndefined();
    });

    it("clones a standby that streams through its slot; a failed clone leaves nothing", async () => {
      const failed = b.postgres.clone(stage.nowhere, [FIRST_BRANCH], nothing, never());
      await expect(failed).rejects.toMatchObject({ code: "PG_CLONE_FAILED" });
      expect((await look(b)).directory).not.toBe("data");
      await join(b, "b", a, [FIRST_BRANCH]);
      await join(c, "c", a, [FIRST_BRANCH]);
      await streams(b, 1);
      await streams(c, 1);
      const { senders, slots } = await sqlOf(a);
      expect(senders).toHaveLength(2);
      expect(Object.fromEntries(slots.map((slot) => [slot.name, slot.active]))).toEqual({
        b: true,
        c: true,
      });
      const seen = await look(b);
      expect(seen).toMatchObject({ directory: "data", standbySignal: true, settingsStale: false });
      expect(seen.lineage).toEqual([FIRST_BRANCH]);
      expect(seen.control?.state).toBe("in archive recovery");
      const { host, port } = a.upstream();
      expect(seen.sql).toMatchObject({
        value: { inRecovery: true, exhausted: true, upstream: `${host}:${port}` },
      });
    });

    it("has positions that only grow, the standby's behind the primary's", async () => {
      let [last, behind]: Lsn[] = [lsn(0), lsn(0)];
      for (let n = 0; n < 5; n++) {
        await a.write();
        const mine = (await sqlOf(b)).position;
        const theirs = (await sqlOf(a)).position;
        expect(theirs).toBeGreaterThan(last ?? 0n);
        expect(mine).toBeGreaterThanOrEqual(behind ?? 0n);
        expect(mine).toBeLessThanOrEqual(theirs);
        [last, behind] = [theirs, mine];
      }
      await hasAll(b, a);
    });

    it("stops a standby, which is down then and says so in its control file", async () => {
      await c.postgres.stop(STOP_MS, undefined, never());
      const seen = await look(c);
      expect(seen.process).toEqual({ kind: "down" });
      expect(seen.control?.state).toBe("shut down in recovery");
      await c.postgres.stop(STOP_MS, undefined, never());
      await c.postgres.startStandby(PLAN, a.upstream("c"), START_MS, never());
      await streams(c, 1);
    });

    it("stops a primary and names the end of its WAL, which the heir then has", async () => {
      await a.write();
      await a.postgres.checkpoint(never());
      const ends: Lsn[] = [];
      const heirHas = (end: Lsn): Promise<void> => {
        ends.push(end);
        return until("the heir has it", async () => (await sqlOf(b)).position >= end);
      };
      await a.postgres.stop(STOP_MS, heirHas, never());
      const seen = await look(a);
      expect(seen.process).toEqual({ kind: "down" });
      expect(seen.control).toMatchObject({ state: "shut down", checkpointEnd: ends[0] });
      expect(ends).toHaveLength(1);
      expect((await sqlOf(b)).position).toBe(ends[0]);
    });

    it("promotes to exactly the reserved timeline, across the numbers between", async () => {
      second = await b.postgres.promote(SECOND, START_MS, never());
      expect(second).toMatchObject({ timeline: 4, parent: 1, term: 40 });
      expect(second.forkLsn).toBeGreaterThan(0n);
      const seen = await look(b);
      expect(seen.sql).toMatchObject(answers(false, 4));
      expect(seen).toMatchObject({ standbySignal: false, lineage: [FIRST_BRANCH, second] });
      await until("the control file knows", async () => (await look(b)).control?.timeline === 4);
    });

    it("does not promote a server that is down; its next start is a standby's", async () => {
      await a.postgres.recordLineage([FIRST_BRANCH], never());
      const promotion = a.postgres.promote(SECOND, START_MS, never());
      await expect(promotion).rejects.toMatchObject({ code: expect.stringMatching(/^PG_/) });
      expect(await look(a)).toMatchObject({ standbySignal: true, process: { kind: "down" } });
    });

    it("follows another upstream by reload, in the same process", async () => {
      const before = (await look(c)).process;
      await b.postgres.syncSlots(["a", "c"], [], {}, never());
      await c.postgres.follow(b.upstream("c"), never());
      await b.write();
      await streams(c, 4);
      await hasAll(c, b);
      const { pid } = before as { readonly pid?: number };
      expect(pid).toBeDefined();
      expect((await look(c)).process).toMatchObject({ kind: "running", pid });
      await c.postgres.recordLineage([FIRST_BRANCH, second], never());
    });

    it("lets an old primary that did not diverge follow without a rewind", async () => {
      await a.postgres.startStandby(PLAN, b.upstream("a"), START_MS, never());
      await streams(a, 4);
      await hasAll(a, b);
      expect((await look(a)).standbySignal).toBe(true);
      await a.postgres.recordLineage([FIRST_BRANCH, second], never());
    });

    it("reads the exact end of a crashed server's WAL, and nothing it cannot be sure of", async () => {
      const mine = [FIRST_BRANCH, second];
      await c.postgres.follow(undefined, never());
      await until("c has left", async () => (await sqlOf(c)).walReceiver === undefined);
      const from = (await sqlOf(c)).position;
      await b.write();
      const { position, slots } = await sqlOf(b);
      slotsBefore = slots;
      const scan = (its: Lineage) => b.postgres.crashEnd(from, its, LOOK_MS, never());
      expect((await scan(mine)).kind).toBe("unknown"); // it runs
      await b.fence.killServer(0, STOP_MS, never());
      const seen = await look(b);
      expect(seen.process).toEqual({ kind: "down" });
      expect(seen.control?.state).toBe("in production");
      expect((await scan([FIRST_BRANCH, { ...second, term: 99 }])).kind).toBe("unknown");
      const end = await scan(mine);
      expect(end.kind === "end" && end.lsn >= position).toBe(true);
    });

    it("rewinds what has diverged, but no namesake of another term", async () => {
      const third = await c.postgres.promote(THIRD, START_MS, never());
      lineage = [FIRST_BRANCH, second, third];
      await c.write();
      await c.postgres.syncSlots(["a", "b"], [], {}, never());
      const twins = [FIRST_BRANCH, { ...second, term: 99 }, third];
      const refused = b.postgres.rewind(c.upstream("b"), twins, nothing, never());
      await expect(refused).rejects.toMatchObject({ code: "PG_REWIND_FAILED" });
      expect((await look(b)).directory).toBe("data");
      await b.postgres.rewind(c.upstream("b"), lineage, nothing, never());
      const seen = await look(b);
      expect(seen).toMatchObject({ directory: "data", standbySignal: true, lineage });
      await b.postgres.startStandby(PLAN, c.upstream("b"), START_MS, never());
      // Where its own slots were says nothing about the WAL that it has now.
      expect(slotsBefore).not.toEqual([]);
      expect((await sqlOf(b)).slots).toEqual([]);
      await streams(b, 5);
      await hasAll(b, c);
    });

    it("starts nothing that is marked, and a clone alone takes the mark away", async () => {
      await b.postgres.stop(STOP_MS, undefined, never());
      await b.leaveMark();
      expect((await look(b)).directory).toBe("marked");
      const standby = b.postgres.startStandby(PLAN, c.upstream("b"), START_MS, never());
      await expect(standby).rejects.toMatchObject({ code: "NOT_POSSIBLE" });
      const primary = b.postgres.startPrimary(PLAN, START_MS, never());
      await expect(primary).rejects.toMatchObject({ code: "NOT_POSSIBLE" });
      const rewind = b.postgres.rewind(c.upstream("b"), lineage, nothing, never());
      await expect(rewind).rejects.toMatchObject({ code: "PG_REWIND_FAILED" });
      const failed = b.postgres.clone(stage.nowhere, lineage, nothing, never());
      await expect(failed).rejects.toMatchObject({ code: "PG_CLONE_FAILED" });
      expect((await look(b)).directory).toBe("marked");
      await join(b, "b", c, lineage);
      await streams(b, 5);
      expect(await look(b)).toMatchObject({ directory: "data", standbySignal: true, lineage });
    });

    it("rewinds no standby that crashed", async () => {
      await b.fence.killServer(0, STOP_MS, never());
      const refused = b.postgres.rewind(c.upstream("b"), lineage, nothing, never());
      await expect(refused).rejects.toMatchObject({ code: "PG_REWIND_FAILED" });
      expect((await look(b)).directory).toBe("data");
    });
  });
}
