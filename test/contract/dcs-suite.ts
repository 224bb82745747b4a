// What the cluster's keys promise to two agents who want the same thing, over any store.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createDcs } from "../../src/dcs/create-dcs.ts";
import { basisOf } from "../../src/model/acquire-basis.ts";
import { AppError } from "../../src/model/error.ts";
import { lsn } from "../../src/model/lsn.ts";
import { bareMember, type Member } from "../../src/model/member.ts";
import type { RouterStatus } from "../../src/model/route.ts";
import { between, type Ms } from "../../src/model/time.ts";
import { FIRST_BRANCH } from "../../src/model/timeline.ts";
import { type Dcs, type DcsEvent, type Holder } from "../../src/ports/dcs.ts";
import type { StoreUnderTest } from "./store-suite.ts";

const LIMIT_MS: Ms = 2000;
const TTL_MS: Ms = 10_000;
const SHORT_TTL_MS: Ms = 2000;
const HOLD_MS: Ms = 8000;

export function dcsContract(name: string, makeStore: () => Promise<StoreUnderTest>): void {
  describe(`the cluster's keys over ${name}`, () => {
    let made: StoreUnderTest;
    let dcs: Dcs;
    let scope = "";
    let tests = 0;
    let a: Holder;
    let b: Holder;

    beforeAll(async () => {
      made = await makeStore();
    });
    afterAll(() => made[Symbol.asyncDispose]());
    beforeEach(async () => {
      tests += 1;
      scope = `cluster${tests}`;
      dcs = createDcs({ store: made.store, namespace: "/service/", scope });
      a = { name: "a", leaseId: String(5_000_000_000n + BigInt(tests) * 2n), holdMs: HOLD_MS };
      b = { name: "b", leaseId: String(5_000_000_001n + BigInt(tests) * 2n), holdMs: HOLD_MS };
      await dcs.ensureLease(a.leaseId, TTL_MS, LIMIT_MS);
      await dcs.ensureLease(b.leaseId, TTL_MS, LIMIT_MS);
    });

    const key = (short: string): string => `/service/${scope}/${short}`;
    const look = () => dcs.snapshot(LIMIT_MS);
    const put = (short: string, value: string, lease?: string) =>
      made.store.commit(
        [],
        [{ kind: "put", key: key(short), value, ...(lease === undefined ? {} : { lease }) }],
        { timeoutMs: LIMIT_MS },
      );
    const valueOf = async (short: string) =>
      (await made.store.range(key(short), { timeoutMs: LIMIT_MS })).entries[0]?.value;
    async function lead(who: Holder): Promise<number> {
      const won = await dcs.acquire(basisOf(await look()), who, LIMIT_MS);
      if (won.kind !== "won") throw new Error(`${who.name} did not win: ${won.kind}`);
      return won.term;
    }
    async function within(limitMs: Ms, what: string, done: () => boolean | Promise<boolean>) {
      const start = made.clock.now();
      while (!(await done())) {
        if (between(start, made.clock.now()) > limitMs) throw new Error(`waited for: ${what}`);
        await (made.control.advance?.(50) ?? made.clock.sleep(50));
      }
    }

    it("is told about a cluster that it has lost, and its terms go on above the old ones (R31)", async () => {
      const succession = { id: "next", systemId: "7", termBase: 900_000_000, by: "a" };
      const branches = [FIRST_BRANCH];
      const roster = { a: "http://a:8008" };
      const facts = { succession, branches, configJson: "{}", roster, unguarded: undefined };
      await put("failover", '{"leader":"b"}');
      const seen = await look();
      await lead(b);
      expect(await dcs.repopulate(seen, facts, LIMIT_MS)).toBe("refused");
      const left = await look();
      expect(await dcs.repopulate(left, facts, LIMIT_MS)).toBe("written");
      expect((await dcs.renew(left.leader?.term ?? 0, b, 1, LIMIT_MS)).kind).toBe("lost");
      const told = await look();
      expect(told).toMatchObject({
        leader: undefined,
        initialize: { value: "7" },
        lineage: { value: branches },
        roster: { value: { a: "http://a:8008" } },
        succession: { value: succession },
        hold: { holder: "a", term: 900_000_000, released: { heir: "a" } },
        failover: { value: undefined },
      });

      const accepting = createDcs({
        store: made.store,
        namespace: "/service/",
        scope,
        termBase: () => 900_000_000,
      });
      const won = await accepting.acquire(basisOf(told), a, LIMIT_MS);
      const term = won.kind === "won" ? won.term : 0;
      expect(term).toBeGreaterThan(900_000_000);
      const led = await look();
      expect([led.leader?.term, led.hold?.term]).toEqual([term, term]);
      expect((await accepting.renew(term, a, 1, LIMIT_MS)).kind).toBe("renewed");
      expect(await accepting.writeHistory(term, [], LIMIT_MS)).toBe("written");
      expect((await dcs.renew(term, a, 2, LIMIT_MS)).kind).toBe("lost");
      const release = { heir: undefined, minLsn: undefined };
      expect((await accepting.release(term, a, release, LIMIT_MS)).kind).toBe("renewed");
    });

    it("reads the term of a renewal that happens to stand at a revision of that number", async () => {
      const { header } = await look();
      const termBase = 20;
      const succession = { id: "next", systemId: "7", termBase, by: "a" };
      const facts = {
        succession,
        branches: [],
        configJson: "{}",
        roster: {},
        unguarded: undefined,
      };
      expect(await dcs.repopulate(await look(), facts, LIMIT_MS)).toBe("written");
      const accepting = createDcs({
        store: made.store,
        namespace: "/service/",
        scope,
        termBase: () => termBase,
      });
      const won = await accepting.acquire(basisOf(await look()), a, LIMIT_MS);
      const term = won.kind === "won" ? won.term : 0;
      expect(term).toBeGreaterThan(header.revision + termBase);
      while ((await look()).header.revision < term - 1) await put("failover", "{}");
      expect((await accepting.renew(term, a, 1, LIMIT_MS)).kind).toBe("renewed");
      expect((await look()).hold).toMatchObject({ term, modRevision: term });
    });

    it("gives the leadership to one of two", async () => {
      const basis = basisOf(await look());
      const outcomes = await Promise.all([
        dcs.acquire(basis, a, LIMIT_MS),
        dcs.acquire(basis, b, LIMIT_MS),
      ]);
      expect(outcomes.map((o) => o.kind).toSorted()).toEqual(["taken", "won"]);
      const winner = outcomes[0]?.kind === "won" ? a : b;
      const won = outcomes.find((o) => o.kind === "won");
      const seen = await look();
      expect(seen.leader).toEqual({ name: winner.name, term: won?.term, leaseId: winner.leaseId });
      expect(seen.hold).toMatchObject({
        holder: winner.name,
        term: won?.term,
        seq: 0,
        holdMs: HOLD_MS,
        released: undefined,
        modRevision: won?.term,
      });
    });

    it("lets nobody lead on a decision that is out of date", async () => {
      for (const short of ["hold", "sync", "failover", "known", "lineage"]) {
        const basis = basisOf(await look());
        await put(short, "{}");
        expect([short, await dcs.acquire(basis, a, LIMIT_MS)]).toEqual([short, { kind: "taken" }]);
      }
      expect((await dcs.acquire(basisOf(await look()), a, LIMIT_MS)).kind).toBe("won");
    });

    it("lets nobody lead whose lease is gone", async () => {
      const gone: Holder = { ...a, leaseId: "4242" };
      const outcome = await dcs.acquire(basisOf(await look()), gone, LIMIT_MS);
      expect(outcome).toEqual({ kind: "taken" });
      expect((await look()).leader).toBeUndefined();
    });

    it("renews for the holder of this term only, and each renewal is seen", async () => {
      const term = await lead(a);
      const before = await look();
      expect(await dcs.renew(term, a, 1, LIMIT_MS)).toEqual({ kind: "renewed" });
      const afterwards = await look();
      expect(afterwards.hold).toMatchObject({ term, seq: 1, holder: "a" });
      expect(afterwards.hold?.modRevision).toBeGreaterThan(before.hold?.modRevision ?? 0);
      expect((await dcs.renew(term - 1, a, 2, LIMIT_MS)).kind).toBe("lost");
      expect((await dcs.renew(term, b, 2, LIMIT_MS)).kind).toBe("lost");
      const namesake: Holder = { ...b, name: "a" };
      expect((await dcs.renew(term, namesake, 2, LIMIT_MS)).kind).toBe("lost");
      expect((await look()).hold?.modRevision).toBe(afterwards.hold?.modRevision);
    });

    it("calls the leadership lost when somebody else wrote the leader key", async () => {
      const term = await lead(a);
      await put("leader", "stranger", a.leaseId);
      expect((await dcs.renew(term, a, 1, LIMIT_MS)).kind).toBe("lost");
    });

    it("calls the leadership lost when the lease has ended", async () => {
      const short: Holder = { ...a, leaseId: String(6_000_000_000n + BigInt(tests)) };
      await dcs.ensureLease(short.leaseId, SHORT_TTL_MS, LIMIT_MS);
      const term = await lead(short);
      await within(10_000, "the end of the lease", async () => (await look()).leader === undefined);
      expect((await dcs.renew(term, short, 1, LIMIT_MS)).kind).toBe("lost");
      expect(await dcs.keepAlive(short.leaseId, LIMIT_MS)).toBe("gone");
      // The sign of life outlives the leader key: absence alone permits nothing.
      expect((await look()).hold).toMatchObject({ holder: "a", term, released: undefined });
    });

    it("gives up to an heir in one step, and keeps its member key", async () => {
      const term = await lead(a);
      await dcs.publishMember(
        bareMember("a", "10.0.0.1", 5432, "http://10.0.0.1:8008"),
        a.leaseId,
        LIMIT_MS,
      );
      const to = { heir: "b", minLsn: lsn(0x3000148) };
      expect(await dcs.release(term, a, to, LIMIT_MS)).toEqual({ kind: "renewed" });
      const seen = await look();
      expect(seen.leader).toBeUndefined();
      expect(seen.hold).toMatchObject({ holder: "a", term, released: to });
      expect(seen.members.map((m) => m.name)).toEqual(["a"]);
      expect((await dcs.release(term, a, to, LIMIT_MS)).kind).toBe("lost");
      expect(await lead(b)).toBeGreaterThan(term);
      expect((await look()).hold).toMatchObject({ holder: "b", released: undefined });
    });

    it("removes a silent holder's key, unless it gave a sign of life meanwhile", async () => {
      const term = await lead(a);
      const { hold } = await look();
      if (hold === undefined) throw new Error("no hold");
      await dcs.renew(term, a, 1, LIMIT_MS);
      expect(await dcs.removeStaleLeader(term, hold, LIMIT_MS)).toBe("refused");
      const still = (await look()).hold;
      if (still === undefined) throw new Error("no hold");
      expect(await dcs.removeStaleLeader(term - 1, still, LIMIT_MS)).toBe("refused");
      expect(await dcs.removeStaleLeader(term, still, LIMIT_MS)).toBe("written");
      expect((await look()).leader).toBeUndefined();
      expect((await dcs.renew(term, a, 2, LIMIT_MS)).kind).toBe("lost");
      expect(await lead(b)).toBeGreaterThan(term);
    });

    it("does not remove a leader who keeps no hold of its own", async () => {
      const term = await lead(a);
      await dcs.release(term, a, { heir: undefined, minLsn: undefined }, LIMIT_MS);
      await put("leader", "foreign", b.leaseId);
      const { leader, hold } = await look();
      if (leader === undefined || hold === undefined) throw new Error("no leader");
      expect(await dcs.removeStaleLeader(leader.term, hold, LIMIT_MS)).toBe("refused");
    });

    it("refuses every fact from a leader of the past", async () => {
      const term = await lead(a);
      const branch = { timeline: 2, parent: 1, forkLsn: lsn(0x3000000), term };
      const lineage = [FIRST_BRANCH, branch];
      expect(await dcs.reserveBranch(term, lineage, 0, LIMIT_MS)).toBe("written");
      expect(await dcs.reserveBranch(term, lineage, 0, LIMIT_MS)).toBe("refused");
      const status = { position: lsn(2n ** 60n), slots: { b: lsn(77) }, absentMs: {} };
      expect(await dcs.writeStatus(term, status, LIMIT_MS)).toBe("written");
      const row = { timeline: 1, lsn: lsn(0x3000000), reason: "no recovery target specified" };
      const rows = [{ ...row, at: "2026-11-05T10:00:00.000+00:00", newLeader: "a" }];
      expect(await dcs.writeHistory(term, rows, LIMIT_MS)).toBe("written");
      const seen = await look();
      expect(seen.lineage.value).toEqual(lineage);
      expect(seen.status.value).toEqual(status);
      expect(seen.history.value).toEqual(rows);

      await dcs.release(term, a, { heir: "b", minLsn: undefined }, LIMIT_MS);
      await lead(b);
      const revision = seen.lineage.modRevision;
      expect(await dcs.reserveBranch(term, lineage, revision, LIMIT_MS)).toBe("refused");
      expect(await dcs.writeStatus(term, status, LIMIT_MS)).toBe("refused");
      expect(await dcs.writeHistory(term, rows, LIMIT_MS)).toBe("refused");
    });

    it("names a primary without a deadline under its term, and lets nobody acquire past that record", async () => {
      const term = await lead(a);
      const record = {
        member: "a",
        term,
        sinceMs: 1_795_392_000_000,
        host: "::1",
        port: 5433,
        apiUrl: "http://[::1]:8008",
      };
      expect(await dcs.writeUnguarded(term + 1, record, 0, LIMIT_MS)).toBe("refused");
      const before = basisOf(await look());
      expect(await dcs.writeUnguarded(term, record, 0, LIMIT_MS)).toBe("written");
      const { unguarded } = await look();
      expect(unguarded.value).toEqual(record);
      await dcs.release(term, a, { heir: undefined, minLsn: undefined }, LIMIT_MS);
      const { hold } = await look();
      const stale = { ...before, holdRevision: hold?.modRevision ?? 0 };
      expect((await dcs.acquire(stale, b, LIMIT_MS)).kind).toBe("taken");
      expect(await dcs.clearUnguarded(unguarded.modRevision + 1, LIMIT_MS)).toBe("refused");
      expect(await dcs.clearUnguarded(unguarded.modRevision, LIMIT_MS)).toBe("written");
      expect((await dcs.acquire(stale, b, LIMIT_MS)).kind).toBe("won");
    });

    it("writes in Patroni's form what Patroni's tools read", async () => {
      const term = await lead(a);
      await dcs.writeStatus(
        term,
        { position: lsn(2n ** 60n), slots: { b: lsn(77) }, absentMs: {} },
        LIMIT_MS,
      );
      const rows = [
        { timeline: 1, lsn: lsn(5), reason: "r", at: "2026-11-05T10:00:00+00:00", newLeader: "a" },
      ];
      await dcs.writeHistory(term, rows, LIMIT_MS);
      expect(await valueOf("leader")).toBe("a");
      expect(await valueOf("status")).toBe('{"optime":1152921504606846976,"slots":{"b":77}}');
      expect(await valueOf("history")).toBe('[[1,5,"r","2026-11-05T10:00:00+00:00","a"]]');
    });

    it("lets one of two initialise the cluster", async () => {
      const claims = await Promise.all([
        dcs.claimBootstrap("a", a.leaseId, LIMIT_MS),
        dcs.claimBootstrap("b", b.leaseId, LIMIT_MS),
      ]);
      expect(claims.filter(Boolean)).toHaveLength(1);
      const [winner, loser] = claims[0] ? [a, b] : [b, a];
      // Asking again after a lost answer finds the claim.
      expect(await dcs.claimBootstrap(winner.name, winner.leaseId, LIMIT_MS)).toBe(true);
      const id = "7300000000000000001";
      const branches = [FIRST_BRANCH, { timeline: 3, parent: 1, forkLsn: lsn(77), term: -9 }];
      const beginning = { configJson: '{"ttl":10}', branches };
      const finish = (who: Holder) =>
        dcs.finishBootstrap(who.name, who.leaseId, id, beginning, LIMIT_MS);
      expect(await finish(loser)).toBe("refused");
      expect(await finish(winner)).toBe("written");
      const seen = await look();
      expect(seen.initialize.value).toBe(id);
      expect(seen.config.value?.ttlMs).toBe(10_000);
      expect(seen.lineage.value).toEqual(branches);
      expect(seen.leader).toBeUndefined();
      expect(await dcs.claimBootstrap(loser.name, loser.leaseId, LIMIT_MS)).toBe(false);
      expect(await finish(winner)).toBe("refused");
    });

    it("lets another one claim after the first has given up or died", async () => {
      expect(await dcs.claimBootstrap("a", a.leaseId, LIMIT_MS)).toBe(true);
      await dcs.abandonBootstrap("b", b.leaseId, LIMIT_MS);
      expect(await dcs.claimBootstrap("b", b.leaseId, LIMIT_MS)).toBe(false);
      await dcs.abandonBootstrap("a", a.leaseId, LIMIT_MS);
      const dying = String(6_500_000_000n + BigInt(tests));
      await dcs.ensureLease(dying, SHORT_TTL_MS, LIMIT_MS);
      expect(await dcs.claimBootstrap("c", dying, LIMIT_MS)).toBe(true);
      await within(10_000, "the claim ends", () => dcs.claimBootstrap("b", b.leaseId, LIMIT_MS));
    });

    it("publishes members on their lease, or says that it is lost", async () => {
      const member: Member = {
        ...bareMember("a", "::1", 5433, "http://[::1]:8008"),
        role: "primary",
        state: "running",
        version: "4.1.4",
        timeline: 3,
        position: lsn(2n ** 55n + 1n),
        ours: { agent: "0.1.0", hold: true, fence: true, heedsPause: true },
        because: "leading",
      };
      await dcs.publishMember(member, a.leaseId, LIMIT_MS);
      expect((await look()).members).toEqual([member]);
      const lost = dcs.publishMember(member, "4242", LIMIT_MS);
      await expect(lost).rejects.toSatisfy(
        (e: unknown) => e instanceof AppError && e.code === "LEASE_LOST",
      );
    });

    it("shows a router as long as its lease lives, with what it answered", async () => {
      const router: RouterStatus = {
        name: "r1",
        agent: "1",
        apiUrl: "http://r1:8008",
        addresses: { pgbouncer: "r1:6432" },
        term: 7,
        primary: "a",
        answer: { kind: "busy", intent: 5, blockers: ["app@10.0.0.9"] },
        answersWithinMs: 7_000,
        because: "route_busy",
      };
      await dcs.publishRouter(router, a.leaseId, LIMIT_MS);
      const seen = await look();
      expect(seen.routers).toEqual([router]);
      expect(seen.members).toEqual([]);
      expect(await dcs.withdrawRouter("r1", b.leaseId, LIMIT_MS)).toBe("refused");
      expect(await dcs.withdrawRouter("r1", a.leaseId, LIMIT_MS)).toBe("written");
      expect((await look()).routers).toEqual([]);
      const lost = dcs.publishRouter(router, "4242", LIMIT_MS);
      await expect(lost).rejects.toSatisfy(
        (e: unknown) => e instanceof AppError && e.code === "LEASE_LOST",
      );
    });

    it("lists who may race for the leader of this term only, also in Patroni's key", async () => {
      const term = await lead(a);
      const roster = { a: "http://a:8008", b: "http://b:8008" };
      expect(await dcs.writeRoster(term - 1, roster, 0, LIMIT_MS)).toBe("refused");
      expect(await dcs.writeRoster(term, roster, 0, LIMIT_MS)).toBe("written");
      expect(await dcs.writeRoster(term, {}, 0, LIMIT_MS)).toBe("refused");
      expect((await look()).roster.value).toEqual(roster);
      expect(JSON.parse((await valueOf("failsafe")) ?? "")).toEqual({
        a: "http://a:8008/patroni",
        b: "http://b:8008/patroni",
      });
      await put("known", "nonsense");
      expect((await look()).roster.value).toEqual({});
    });

    it("answers the length of a lease that is there already", async () => {
      expect(await dcs.ensureLease(a.leaseId, TTL_MS * 3, LIMIT_MS)).toBe(TTL_MS);
      expect(await dcs.keepAlive(a.leaseId, LIMIT_MS)).toBe("alive");
    });

    it("takes wishes only from those who saw the last one", async () => {
      const wish = {
        leader: "a",
        candidate: "b",
        scheduledAt: undefined,
        scheduledAtMs: undefined,
      };
      expect(await dcs.writeFailover(wish, 0, LIMIT_MS)).toBe("written");
      expect(await dcs.writeFailover(undefined, 0, LIMIT_MS)).toBe("refused");
      const { failover } = await look();
      expect(failover.value).toEqual(wish);
      expect(await dcs.writeFailover(undefined, failover.modRevision, LIMIT_MS)).toBe("written");
      expect((await look()).failover).toEqual({ value: undefined, modRevision: 0 });
      expect(await dcs.writeConfig('{"ttl":20}', 0, LIMIT_MS)).toBe("written");
      expect(await dcs.writeConfig('{"ttl":30}', 0, LIMIT_MS)).toBe("refused");
    });

    it("keeps the last good configuration when the stored one is unusable", async () => {
      await put("config", '{"ttl":12}');
      expect((await look()).config.value?.ttlMs).toBe(12_000);
      await put("config", '{"ttl":"often"}');
      const seen = await look();
      expect(seen.config.value?.ttlMs).toBe(12_000);
      expect(seen.configWarnings.join("\n")).toContain("ttl");
    });

    it("tells a watcher what happened in words", async () => {
      const stop = new AbortController();
      const events: DcsEvent[] = [];
      dcs.watch((event) => events.push(event), stop.signal);
      await within(5000, "the watch stands", async () => {
        await put("probe", "");
        return events.some((e) => e.kind === "other");
      });
      const term = await lead(a);
      await dcs.release(term, a, { heir: "b", minLsn: undefined }, LIMIT_MS);
      await put("config", "{}");
      await put("members/x", "{}");
      await within(5000, "all events", () => events.some((e) => e.kind === "member"));
      stop.abort();
      const told = events.filter((e) => e.kind !== "other" && e.kind !== "gap");
      expect(told).toHaveLength(6);
      expect(told).toEqual(
        expect.arrayContaining([
          { kind: "leader", name: "a" },
          { kind: "hold", revision: term, released: false, heir: undefined },
          { kind: "leader", name: undefined },
          expect.objectContaining({ kind: "hold", released: true, heir: "b" }),
          { kind: "config" },
          { kind: "member", name: "x" },
        ]),
      );
    });

    it("answers unknown when a frozen store swallowed an acquire or a renewal", async () => {
      const term = await lead(a);
      await made.control.pause();
      try {
        expect((await dcs.renew(term, a, 1, 300)).kind).toBe("unknown");
        expect((await dcs.acquire(basisOf(EMPTY), b, 300)).kind).toBe("unknown");
      } finally {
        await made.control.resume();
      }
      await within(10_000, "the store answers", async () => {
        const renewed = await dcs.renew(term, a, 2, 1000);
        return renewed.kind === "renewed";
      });
    });
  });
}

const none = { value: undefined, modRevision: 0 };
/** A cluster in which nothing is written yet. */
const EMPTY = {
  header: { clusterId: "", revision: 0, raftTerm: 0 },
  initialize: none,
  config: none,
  configWarnings: [],
  leader: undefined,
  hold: undefined,
  routers: [],
  members: [],
  failover: none,
  status: { value: { position: undefined, slots: {}, absentMs: {} }, modRevision: 0 },
  history: { value: [], modRevision: 0 },
  lineage: { value: [], modRevision: 0 },
  sync: none,
  roster: none,
  unguarded: none,
  succession: none,
};
