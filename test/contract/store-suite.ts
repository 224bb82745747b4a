// What every consensus store promises, whoever plays it: etcd or the simulator.
//
// Time passes only through the given clock, so the simulator can run this in no time.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AppError, type ErrorCode } from "../../src/model/error.ts";
import { between, type Ms } from "../../src/model/time.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Store, StoreEvent } from "../../src/ports/store.ts";

export interface StoreUnderTest {
  readonly store: Store;
  readonly clock: Clock;
  readonly control: {
    /** The whole store ends; what was answered survives. Connections are refused. */
    stop(): Promise<void>;
    start(): Promise<void>;
    /** The whole store freezes: it takes requests and answers none. */
    pause(): Promise<void>;
    resume(): Promise<void>;
    /** Lets time pass where `clock.sleep` alone does not. */
    advance?(ms: Ms): Promise<void>;
  };
  [Symbol.asyncDispose](): Promise<void>;
}

/** A lease as short as etcd grants one with the timings of these tests. */
const TTL_MS: Ms = 2000;
const CALL = { timeoutMs: 2000 } as const;
/** How much later than its limit a call may answer: scheduling on a busy machine. */
const SLACK_MS: Ms = 400;

export function storeContract(name: string, makeStore: () => Promise<StoreUnderTest>): void {
  describe(`${name} keeps a store's promises`, () => {
    let made: StoreUnderTest;
    let store: Store;
    let prefix = "";
    let tests = 0;

    beforeAll(async () => {
      made = await makeStore();
      store = made.store;
    });
    afterAll(() => made[Symbol.asyncDispose]());
    beforeEach(() => {
      tests += 1;
      prefix = `/contract/${tests}/`;
    });

    const pass = (ms: Ms): Promise<void> => made.control.advance?.(ms) ?? made.clock.sleep(ms);
    const put = (key: string, value: string, lease?: string) =>
      store.commit(
        [],
        [{ kind: "put", key: prefix + key, value, ...(lease === undefined ? {} : { lease }) }],
        CALL,
      );
    const read = async (key: string) =>
      (await store.range(prefix + key, CALL)).entries.find((e) => e.key === prefix + key);
    /** The store answers again after a stop or a freeze. */
    const answering = () =>
      within(20_000, "the store answers", async () => {
        try {
          await store.range(prefix, { timeoutMs: 1000 });
          return true;
        } catch {
          return false;
        }
      });
    async function within(limitMs: Ms, what: string, done: () => boolean | Promise<boolean>) {
      const start = made.clock.now();
      while (!(await done())) {
        if (between(start, made.clock.now()) > limitMs) throw new Error(`waited for: ${what}`);
        await pass(50);
      }
    }
    async function failure(call: Promise<unknown>): Promise<[code: ErrorCode | "", tookMs: Ms]> {
      const start = made.clock.now();
      try {
        await call;
        return ["", between(start, made.clock.now())];
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        return [error.code, between(start, made.clock.now())];
      }
    }
    /** Watches the test's keys; the first gap says that the watch stands. */
    async function watching() {
      const stop = new AbortController();
      const events: StoreEvent[] = [];
      const seen = { events, gaps: 0, stop: () => stop.abort() };
      store.watch(
        prefix,
        (batch) => events.push(...batch),
        () => {
          seen.gaps += 1;
        },
        stop.signal,
      );
      await within(5000, "the watch stands", async () => {
        await put("probe", String(events.length));
        return events.length > 0;
      });
      return seen;
    }
    const shown = (events: readonly StoreEvent[]) =>
      events.filter((e) => e.key !== `${prefix}probe`).map((e) => e.value);

    it("shows everything below a prefix and nothing beside it", async () => {
      await put("a", "1");
      await put("b", "ünïcödé");
      await store.commit([], [{ kind: "put", key: `${prefix.slice(0, -1)}0`, value: "x" }], CALL);
      const { entries, header } = await store.range(prefix, CALL);
      expect(entries.map((e) => [e.key, e.value])).toEqual([
        [`${prefix}a`, "1"],
        [`${prefix}b`, "ünïcödé"],
      ]);
      expect(entries.every((e) => e.lease === "0" && e.modRevision <= header.revision)).toBe(true);
    });

    it("says in each answer which store it is and how far it has come", async () => {
      const first = await put("a", "1");
      const second = await store.range(prefix, CALL);
      expect(first.header.clusterId).not.toBe("");
      expect(second.header.clusterId).toBe(first.header.clusterId);
      expect(second.header.raftTerm).toBeGreaterThan(0);
      expect(second.header.revision).toBeGreaterThanOrEqual(first.header.revision);
      expect((await read("a"))?.modRevision).toBe(first.header.revision);
    });

    it("applies all writes at one revision, or none", async () => {
      const key = (n: string) => prefix + n;
      const both = await store.commit(
        [{ key: key("a"), target: "create", equals: 0 }],
        [
          { kind: "put", key: key("a"), value: "1" },
          { kind: "put", key: key("b"), value: "2" },
        ],
        CALL,
      );
      expect(both.succeeded).toBe(true);
      const [a, b] = [await read("a"), await read("b")];
      expect(a?.createRevision).toBe(both.header.revision);
      expect(b?.createRevision).toBe(both.header.revision);
      const none = await store.commit(
        [
          { key: key("a"), target: "value", equals: "1" },
          { key: key("b"), target: "value", equals: "3" },
        ],
        [{ kind: "delete", key: key("a") }],
        CALL,
      );
      expect(none.succeeded).toBe(false);
      expect(await read("a")).toEqual(a);
    });

    it("compares creation, change, lease and value", async () => {
      const lease = leaseId(tests);
      await store.grant(lease, 60_000, CALL);
      const first = await put("k", "1", lease);
      const second = await put("k", "2", lease);
      const key = `${prefix}k`;
      const holds = async (compare: Parameters<Store["commit"]>[0][number]) =>
        (await store.commit([compare], [], CALL)).succeeded;
      expect(await holds({ key, target: "create", equals: first.header.revision })).toBe(true);
      expect(await holds({ key, target: "create", equals: second.header.revision })).toBe(false);
      expect(await holds({ key, target: "mod", equals: second.header.revision })).toBe(true);
      expect(await holds({ key, target: "mod", equals: first.header.revision })).toBe(false);
      expect(await holds({ key, target: "lease", equals: lease })).toBe(true);
      expect(await holds({ key, target: "lease", equals: "1" })).toBe(false);
      expect(await holds({ key, target: "value", equals: "2" })).toBe(true);
      expect(await holds({ key, target: "value", equals: "1" })).toBe(false);
      const missing = `${prefix}none`;
      expect(await holds({ key: missing, target: "create", equals: 0 })).toBe(true);
      expect(await holds({ key: missing, target: "mod", equals: 0 })).toBe(true);
      expect(await holds({ key: missing, target: "value", equals: "" })).toBe(false);
      expect(await holds({ key: missing, target: "lease", equals: lease })).toBe(false);
    });

    it("lets exactly one of many win the same key", async () => {
      const key = `${prefix}crown`;
      const tries = Array.from({ length: 12 }, (_, i) =>
        store.commit(
          [{ key, target: "create", equals: 0 }],
          [{ kind: "put", key, value: String(i) }],
          CALL,
        ),
      );
      const answers = await Promise.all(tries);
      expect(answers.filter((a) => a.succeeded)).toHaveLength(1);
      const winner = answers.findIndex((a) => a.succeeded);
      expect((await read("crown"))?.value).toBe(String(winner));
    });

    it("deletes a key that is not there without complaint", async () => {
      const gone = await store.commit([], [{ kind: "delete", key: `${prefix}none` }], CALL);
      expect(gone.succeeded).toBe(true);
    });

    it("ends a lease not before its time, but then", async () => {
      const lease = leaseId(tests);
      const granted = await store.grant(lease, TTL_MS, CALL);
      if (granted === "exists") throw new Error("a fresh lease exists already");
      await put("leased", "1", lease);
      expect((await read("leased"))?.lease).toBe(lease);
      await pass(TTL_MS / 2);
      const sentAt = made.clock.now();
      const kept = await store.keepAlive(lease, CALL);
      if (kept === "gone") throw new Error("the lease is gone before its time");
      await within(kept.ttlMs + 5000, "the lease ends", async () => !(await read("leased")));
      expect(between(sentAt, made.clock.now())).toBeGreaterThanOrEqual(kept.ttlMs - 20);
      expect(await store.keepAlive(lease, CALL)).toBe("gone");
    });

    it("says that a lease exists, and that an unknown one is gone", async () => {
      const lease = leaseId(tests);
      expect(await store.grant(lease, 30_000, CALL)).toEqual({ ttlMs: 30_000 });
      expect(await store.grant(lease, 30_000, CALL)).toBe("exists");
      expect(await store.keepAlive(lease, CALL)).toEqual({ ttlMs: 30_000 });
      expect(await store.keepAlive(leaseId(9_999_999), CALL)).toBe("gone");
    });

    it("writes nothing when a put names a lease that is gone", async () => {
      const answer = await store.commit(
        [],
        [
          { kind: "put", key: `${prefix}plain`, value: "1" },
          { kind: "put", key: `${prefix}leased`, value: "1", lease: leaseId(8_888_888) },
        ],
        CALL,
      );
      expect(answer.succeeded).toBe(false);
      expect(answer.header.revision).toBeGreaterThan(0);
      expect((await store.range(prefix, CALL)).entries).toEqual([]);
    });

    it("shows a watcher every change, in order", async () => {
      const seen = await watching();
      for (let n = 0; n < 30; n += 1) await put(`k${n % 3}`, String(n));
      await store.commit([], [{ kind: "delete", key: `${prefix}k0` }], CALL);
      await within(5000, "all changes", () => shown(seen.events).length >= 31);
      seen.stop();
      expect(shown(seen.events)).toEqual([
        ...Array.from({ length: 30 }, (_, n) => `${n}`),
        undefined,
      ]);
      const revisions = seen.events.map((e) => e.modRevision);
      expect(revisions).toEqual(revisions.toSorted((a, b) => a - b));
      await put("k1", "after");
      await pass(200);
      expect(shown(seen.events)).toHaveLength(31);
    });

    it("tells a watcher of keys that ended with their lease", async () => {
      const lease = leaseId(tests);
      await store.grant(lease, TTL_MS, CALL);
      const seen = await watching();
      await put("leased", "1", lease);
      await within(TTL_MS + 5000, "the end", () => shown(seen.events).length >= 2);
      seen.stop();
      expect(shown(seen.events)).toEqual(["1", undefined]);
    });

    it("answers a sent transaction that a frozen store swallowed with unknown, in time", async () => {
      await put("a", "1");
      await made.control.pause();
      try {
        const swallowed = store.commit([], [{ kind: "put", key: `${prefix}a`, value: "2" }], {
          timeoutMs: 500,
        });
        const [code, took] = await failure(swallowed);
        expect(code).toBe("STORE_UNKNOWN");
        expect(took).toBeLessThanOrEqual(500 + SLACK_MS);
        const [readCode, readTook] = await failure(store.range(prefix, { timeoutMs: 500 }));
        expect(readCode).toBe("STORE_UNREACHABLE");
        expect(readTook).toBeLessThanOrEqual(500 + SLACK_MS);
      } finally {
        await made.control.resume();
      }
      await answering();
      expect(["1", "2"]).toContain((await read("a"))?.value);
    });

    it("gives up when the signal says so", async () => {
      await made.control.pause();
      try {
        const stop = new AbortController();
        const call = failure(store.range(prefix, { timeoutMs: 5000, signal: stop.signal }));
        await pass(100);
        stop.abort();
        const [code, took] = await call;
        expect(code).toMatch(/^STORE_/);
        expect(took).toBeLessThanOrEqual(100 + SLACK_MS);
      } finally {
        await made.control.resume();
      }
      await answering();
    });

    it("tells a watcher of a silence, and goes on where it was", async () => {
      const seen = await watching();
      const before = seen.gaps;
      await made.control.pause();
      await within(10_000, "a gap", () => seen.gaps > before);
      await made.control.resume();
      await answering();
      await put("later", "1");
      await within(10_000, "the change", () => shown(seen.events).includes("1"));
      seen.stop();
      expect(shown(seen.events)).toEqual(["1"]);
    });

    it("keeps what it answered over a restart, and the watch goes on", async () => {
      const seen = await watching();
      const { header } = await put("kept", "1");
      await made.control.stop();
      await pass(200);
      const [code] = await failure(
        store.commit([], [{ kind: "put", key: `${prefix}kept`, value: "2" }], { timeoutMs: 500 }),
      );
      expect(code).toBe("STORE_UNREACHABLE");
      await made.control.start();
      await answering();
      expect(await read("kept")).toMatchObject({ value: "1", modRevision: header.revision });
      expect((await store.range(prefix, CALL)).header.clusterId).toBe(header.clusterId);
      await put("kept", "3");
      await within(15_000, "the change", () => shown(seen.events).includes("3"));
      seen.stop();
      expect(shown(seen.events)).toEqual(["1", "3"]);
    });
  });
}

/** Ids that no two tests share. */
const leaseId = (n: number): string => String(7_000_000_000_000_000n + BigInt(n));
