// Does the keeper believe no longer than it may, and renew no more than it is vouched for?
import { describe, expect, it } from "vitest";
import {
  BASIS,
  BELIEF_MS,
  createStage,
  LOST,
  RENEWED,
  UNKNOWN,
  wonStage,
} from "../../test/support/keeper-stage.ts";
import { DEFAULT_CONFIG } from "../model/config.ts";
import { after, instant } from "../model/time.ts";

const never = () => new Promise<never>(() => undefined);
const T0 = instant(1_000_000);

describe("winning a lease", () => {
  it("is believed from when the acquire was sent, not from its answer", async () => {
    const { clock, keeper, script } = createStage();
    script.acquire = async () => {
      await clock.sleep(700);
      return { kind: "won", term: 7 };
    };
    const acquiring = keeper.acquire(BASIS);
    await clock.pass(700);
    await acquiring;
    expect(keeper.view().held).toEqual({ term: 7, validUntil: after(T0, BELIEF_MS) });
  });

  it("arms the fence for just as long", async () => {
    const { arms, keeper } = await wonStage();
    expect(arms).toEqual([{ at: T0, term: 7, until: keeper.view().held?.validUntil }]);
  });

  it("leaves an unanswered acquire open, even when the next one finds the lease taken", async () => {
    const { keeper, script, clock } = createStage();
    script.acquire = () => Promise.resolve({ kind: "unknown", why: "no answer" });
    await keeper.acquire(BASIS);
    await clock.pass(1_000);
    script.acquire = () => Promise.resolve({ kind: "taken" });
    await keeper.acquire(BASIS);
    expect(keeper.view()).toMatchObject({ held: undefined, acquireUnknownSince: T0 });
    script.acquire = () => Promise.resolve({ kind: "won", term: 8 });
    await keeper.acquire(BASIS);
    expect(keeper.view().acquireUnknownSince).toBeUndefined();
  });
});

describe("a renewal", () => {
  it("leaves every quarter of H and counts from when it was sent", async () => {
    const { clock, keeper, renewals, script } = await wonStage();
    script.renew = async () => {
      await clock.sleep(600);
      return RENEWED;
    };
    await clock.pass(4_700);
    expect(renewals.map(({ at, seq }) => [at - T0, seq])).toEqual([
      [2_000, 1],
      [4_000, 2],
    ]);
    expect(keeper.view().held?.validUntil).toBe(T0 + 4_000 + BELIEF_MS);
    expect(keeper.view().renewedAt).toBe(T0 + 4_000);
  });

  it("that is answered late counts no longer than one answered at once", async () => {
    const { clock, keeper, script } = await wonStage();
    script.renew = async () => {
      await clock.sleep(4_000);
      return RENEWED;
    };
    await clock.pass(5_999);
    expect(keeper.view().held?.validUntil).toBe(T0 + BELIEF_MS);
    await clock.pass(1);
    expect(keeper.view().held?.validUntil).toBe(T0 + 2_000 + BELIEF_MS);
  });

  it("of unknown outcome is tried again every 200 ms until the deadline, then the lease is dropped", async () => {
    const { changes, clock, keeper, kills, renewals, script } = await wonStage();
    script.renew = () => Promise.resolve(UNKNOWN);
    await clock.pass(BELIEF_MS + 300);
    const sent = renewals.map(({ at }) => at - T0);
    expect(sent.slice(0, 4)).toEqual([2_000, 2_200, 2_400, 2_600]);
    expect(sent.at(-1)).toBe(6_600);
    expect(keeper.view().held).toBeUndefined();
    expect(changes).toContain("lease lost");
    expect(kills).toHaveLength(1);
  });

  it("carries another number each time, answered or not", async () => {
    const { clock, renewals, script } = await wonStage();
    script.renew = () => Promise.resolve(renewals.length < 3 ? UNKNOWN : RENEWED);
    await clock.pass(5_000);
    expect(renewals.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  });

  it("that is refused ends belief and server at once", async () => {
    const { changes, clock, keeper, kills, script } = await wonStage();
    script.renew = () => Promise.resolve(LOST);
    await clock.pass(2_000);
    expect(keeper.view().held).toBeUndefined();
    expect(kills).toEqual([T0 + 2_000]);
    expect(changes.at(-1)).toBe("lease lost");
  });

  it("that is refused to a standby ends nothing", async () => {
    const { clock, kills, script } = await wonStage();
    script.renew = () => Promise.resolve(LOST);
    script.mayServeWrites = false;
    await clock.pass(2_000);
    expect(kills).toEqual([]);
  });
});

describe("without a vouch", () => {
  it("nothing is renewed and the lease runs out", async () => {
    const { clock, keeper, renewals } = createStage();
    keeper.start();
    await keeper.acquire(BASIS);
    await clock.pass(BELIEF_MS - 1);
    expect(keeper.view().held?.term).toBe(7);
    await clock.pass(300);
    expect(renewals).toEqual([]);
    expect(keeper.view().held).toBeUndefined();
  });

  it.each([
    ["of another term", { term: 6, observedAt: T0 }],
    ["from half an H ago", { term: 7, observedAt: after(T0, -3_000) }],
  ])("a vouch %s renews nothing", async (_, vouch) => {
    const { clock, keeper, renewals } = createStage();
    keeper.start();
    await keeper.acquire(BASIS);
    keeper.vouch(vouch);
    await clock.pass(3_000);
    expect(renewals).toEqual([]);
  });

  it("taken back, it counts no more; given again, renewing goes on", async () => {
    const { clock, keeper, renewals } = createStage();
    keeper.start();
    await keeper.acquire(BASIS);
    keeper.vouch({ term: 7, observedAt: T0 });
    keeper.unvouch();
    await clock.pass(3_000);
    expect(renewals).toEqual([]);
    keeper.vouch({ term: 7, observedAt: clock.now() });
    await clock.pass(200);
    expect(renewals).toHaveLength(1);
  });
});

describe("the fence", () => {
  it("is armed before belief grows, and belief stays when it does not answer", async () => {
    const { changes, clock, keeper, script } = await wonStage();
    script.arm = never;
    await clock.pass(2_400);
    expect(keeper.view().held?.validUntil).toBe(T0 + BELIEF_MS);
    await clock.pass(200);
    expect(keeper.view().held?.validUntil).toBe(T0 + BELIEF_MS);
    expect(changes).toContain("fence silent");
  });

  it("is left alone for a standby leader, and armed by the first renewal that needs it", async () => {
    const { arms, clock, keeper, script } = createStage();
    script.needsFence = false;
    keeper.start();
    await keeper.acquire(BASIS);
    keeper.vouch({ term: 7, observedAt: clock.now() });
    await clock.pass(2_100);
    expect(arms).toEqual([]);
    expect(keeper.view().held).toBeDefined();
    script.needsFence = true;
    keeper.vouch({ term: 7, observedAt: clock.now() });
    await clock.pass(2_100);
    expect(arms).toMatchObject([{ term: 7, until: keeper.view().held?.validUntil }]);
  });

  it("is disarmed by a release, after which nothing is renewed", async () => {
    const { clock, disarms, keeper, renewals } = await wonStage();
    await keeper.release({ heir: "n2", minLsn: undefined });
    await clock.pass(10_000);
    expect(keeper.view().held).toBeUndefined();
    expect(disarms).toEqual([T0]);
    expect(renewals).toEqual([]);
  });

  it("keeps the lease in the store alive at once: many in a row must not let it end", async () => {
    const { clock, keeper, keptAlive } = await wonStage();
    await clock.pass(1_500);
    await keeper.release({ heir: "n2", minLsn: undefined });
    await clock.pass(0);
    expect(keptAlive.at(-1)).toBe(after(T0, 1_500));
  });

  it("stays armed when nobody knows whether the release has landed", async () => {
    const { disarms, keeper, script } = await wonStage();
    script.release = () => Promise.resolve(UNKNOWN);
    await keeper.release({ heir: undefined, minLsn: undefined });
    expect(keeper.view().held?.term).toBe(7);
    expect(disarms).toEqual([]);
  });
});

describe("a wall clock that runs ahead", () => {
  it("leaves a second to renew in", async () => {
    const { arms, clock, keeper, script } = await wonStage();
    await clock.pass(2_500);
    script.renew = () => Promise.resolve(UNKNOWN);
    clock.stepWall(600);
    await clock.pass(1_500);
    expect(keeper.view().held?.validUntil).toBe(T0 + 5_000);
    expect(arms.at(-1)?.until).toBe(T0 + 5_000);
    await clock.pass(1_300);
    expect(keeper.view().held).toBeUndefined();
  });

  it("is forgiven by a renewal", async () => {
    const { clock, keeper } = await wonStage();
    await clock.pass(2_500);
    clock.stepWall(600);
    await clock.pass(1_500);
    expect(keeper.view().held?.validUntil).toBe(T0 + 4_000 + BELIEF_MS);
  });
});

describe("adopting a lease", () => {
  it("needs a renewal of that very term and counts from it", async () => {
    const { clock, keeper, renewals } = createStage();
    await clock.pass(500);
    await keeper.adopt(7, T0, 41);
    expect(renewals).toMatchObject([{ term: 7, seq: 42 }]);
    expect(keeper.view().held).toEqual({ term: 7, validUntil: T0 + 500 + BELIEF_MS });
  });

  it("fails without harm", async () => {
    const { keeper, script } = createStage();
    script.renew = () => Promise.resolve(UNKNOWN);
    expect(await keeper.adopt(7, T0, 41)).toEqual(UNKNOWN);
    expect(keeper.view().held).toBeUndefined();
  });
});

describe("a shorter ttl", () => {
  const shorter = { ...DEFAULT_CONFIG, ttlMs: 5_000 };

  it("binds belief and fence before the first renewal that says so leaves", async () => {
    const { arms, clock, keeper, renewals, script } = await wonStage();
    script.config = { ...DEFAULT_CONFIG, ttlMs: 60_000 };
    await clock.pass(2_000);
    expect(keeper.view().held?.validUntil).toBeGreaterThan(T0 + 40_000);
    script.config = shorter;
    script.renew = () => Promise.resolve(UNKNOWN);
    await clock.pass(4_000);
    const short = renewals.find(({ holder }) => holder.holdMs === 4_000);
    const bound = arms.find(({ until }) => until < T0 + 40_000 && until > T0 + BELIEF_MS);
    expect(bound?.at).toBeLessThanOrEqual(short?.at ?? 0);
    expect(keeper.view().held?.validUntil).toBe((short?.at ?? 0) + 2_460);
  });

  it("is not announced while the fence has not acknowledged it", async () => {
    const { clock, renewals, script } = await wonStage();
    script.config = { ...DEFAULT_CONFIG, ttlMs: 60_000 };
    await clock.pass(2_000);
    script.config = shorter;
    script.arm = never;
    await clock.pass(5_000);
    expect(renewals.filter(({ holder }) => holder.holdMs === 4_000)).toEqual([]);
  });
});

describe("the lease in the store", () => {
  it("is made sure of before anything else, and kept alive every third of its length", async () => {
    const { clock, ensured, keeper, keptAlive } = createStage();
    keeper.start();
    await clock.pass(7_000);
    expect(ensured).toEqual([10_000]);
    expect(keptAlive.map((at) => at - T0)).toEqual([3_333, 6_666]);
  });

  it("that is shorter than the ttl of today is kept alive by its own length", async () => {
    const { clock, keeper, keptAlive, script } = createStage();
    script.grantedMs = 6_000;
    script.config = { ...DEFAULT_CONFIG, ttlMs: 60_000 };
    keeper.start();
    await clock.pass(4_000);
    expect(keptAlive.map((at) => at - T0)).toEqual([2_000, 4_000]);
  });

  it("does not end under a leader whose ttl was raised", async () => {
    const { clock, renewals, script } = await wonStage();
    await clock.pass(2_000);
    script.config = { ...DEFAULT_CONFIG, ttlMs: 60_000 };
    await clock.pass(30_000);
    const sent = renewals.map(({ at }) => at);
    const gaps = sent.slice(1).map((at, i) => at - (sent[i] ?? at));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(3_333);
  });

  it("is granted anew, with today's ttl, once it is gone", async () => {
    const { changes, clock, ensured, keeper, script } = createStage();
    keeper.start();
    await clock.pass(1_000);
    script.config = { ...DEFAULT_CONFIG, ttlMs: 20_000 };
    script.keepAlive = () => Promise.resolve("gone");
    await clock.pass(3_000);
    expect(ensured).toEqual([10_000, 20_000]);
    expect(changes).toHaveLength(2);
  });

  it("of unknown length is taken for the shortest that may be", async () => {
    const { clock, keeper, renewals } = createStage();
    await keeper.acquire(BASIS);
    keeper.vouch({ term: 7, observedAt: T0 });
    await clock.pass(1_666);
    expect(renewals).toHaveLength(1);
  });
});

describe("a primary that a pause lets run without a deadline", () => {
  const free = async () => {
    const stage = await wonStage();
    await stage.fence.unguard(7, new AbortController().signal);
    return stage;
  };

  it("is renewed as ever, and no deadline is set by that", async () => {
    const { arms, clock, keeper, renewals } = await free();
    await clock.pass(4_700);
    expect(renewals).toHaveLength(2);
    expect(arms).toHaveLength(1);
    expect(keeper.view().held?.validUntil).toBe(after(T0, 4_000 + BELIEF_MS));
  });

  it("is not ended with its lease, by time or by a clear no", async () => {
    for (const answer of [UNKNOWN, LOST]) {
      const { clock, keeper, kills, script } = await free();
      script.renew = () => Promise.resolve(answer);
      await clock.pass(20_000);
      expect([keeper.view().held, kills]).toEqual([undefined, []]);
    }
  });

  it("gets the deadline of its lease back, and later ones by renewals", async () => {
    const { arms, clock, keeper } = await free();
    await clock.pass(3_000);
    await keeper.guard();
    expect(arms.at(-1)).toEqual({
      at: after(T0, 3_000),
      term: 7,
      until: after(T0, 2_000 + BELIEF_MS),
    });
    await clock.pass(2_000);
    expect(arms.at(-1)?.until).toBe(after(T0, 4_000 + BELIEF_MS));
    const { keeper: without } = createStage();
    await expect(without.guard()).rejects.toMatchObject({ code: "LEASE_LOST" });
  });
});
