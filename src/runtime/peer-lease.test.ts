// Do all rivals together stand in for the store, and only all of them?
import { describe, expect, it } from "vitest";
import {
  BASIS,
  BELIEF_MS,
  LOST,
  RENEWED,
  UNKNOWN,
  wonStage,
} from "../../test/support/keeper-stage.ts";
import type { PromiseAnswer } from "../model/promise.ts";
import { instant } from "../model/time.ts";

const T0 = instant(1_000_000);
const RIVALS = { n2: "http://n2", n3: "http://n3" };
const yes: PromiseAnswer = { kind: "promised" };

/** Term 7 is held and the store has just gone away. */
async function unanswered(rivals: Readonly<Record<string, string>> | undefined = RIVALS) {
  const stage = await wonStage();
  stage.script.renew = () => Promise.resolve(UNKNOWN);
  stage.script.rivals = rivals;
  return stage;
}

describe("a renewal that the store does not answer", () => {
  it("counts when every rival promises, from before the first was asked", async () => {
    const { arms, clock, keeper, script } = await unanswered();
    const asked: unknown[] = [];
    script.promise = async (url, what) => {
      asked.push([url, what]);
      await clock.sleep(url === "http://n3" ? 300 : 5);
      return yes;
    };
    await clock.pass(2_400);
    const what = { grantee: "n1", term: 7, durationMs: 8_000 };
    expect(asked).toEqual([
      ["http://n2", { ...what, to: "n2" }],
      ["http://n3", { ...what, to: "n3" }],
    ]);
    expect(keeper.view()).toMatchObject({
      grantor: "peers",
      held: { term: 7, validUntil: T0 + 2_000 + BELIEF_MS },
    });
    expect(arms.at(-1)).toMatchObject({ term: 7, until: T0 + 2_000 + BELIEF_MS });
  });

  it("goes on so for as long as it takes, and the store is asked every time", async () => {
    const { changes, clock, keeper, renewals } = await unanswered();
    await clock.pass(600_000);
    expect(keeper.view().held?.term).toBe(7);
    expect(renewals.length).toBeGreaterThan(250);
    expect(changes).not.toContain("lease lost");
  });

  it.each<PromiseAnswer>([
    { kind: "refused", why: "Running as a leader" },
    { kind: "unknown", why: "no answer in time" },
  ])("does not count when one answers $kind", async (answer) => {
    const { clock, keeper, kills, script } = await unanswered();
    script.promise = (url) => Promise.resolve(url === "http://n3" ? answer : yes);
    await clock.pass(BELIEF_MS - 1);
    expect(keeper.view().held?.validUntil).toBe(T0 + BELIEF_MS);
    await clock.pass(400);
    expect(keeper.view().held).toBeUndefined();
    expect(kills).toHaveLength(1);
  });

  it("does not count when the last promise comes after the lease has ended", async () => {
    const { clock, keeper, script } = await unanswered();
    script.promise = async () => {
      await clock.sleep(BELIEF_MS);
      return yes;
    };
    await clock.pass(2_000 + BELIEF_MS);
    expect(keeper.view().held).toBeUndefined();
  });

  it("needs nobody's word where nobody else could lead, and a list of who could", async () => {
    const alone = await unanswered({});
    await alone.clock.pass(60_000);
    expect(alone.keeper.view().held?.term).toBe(7);
    const unlisted = await unanswered(undefined);
    unlisted.script.rivals = undefined;
    await unlisted.clock.pass(60_000);
    expect(unlisted.keeper.view().held).toBeUndefined();
  });

  it("needs the HA loop's word as ever", async () => {
    const { clock, keeper, script } = await unanswered();
    let asked = 0;
    script.promise = () => {
      asked += 1;
      keeper.unvouch();
      return Promise.resolve(yes);
    };
    await clock.pass(2_100);
    const first = asked;
    keeper.unvouch();
    await clock.pass(800);
    expect(first).toBe(2);
    expect(asked).toBe(first);
  });
});

describe("the store is back", () => {
  it("and the key is still ours: it renews as before", async () => {
    const { clock, keeper, script } = await unanswered();
    await clock.pass(20_000);
    script.renew = () => Promise.resolve(RENEWED);
    await clock.pass(3_000);
    expect(keeper.view().grantor).toBe("store");
  });

  it("and the key has ended: the peers still stand in, the loop is woken, the lease granted anew", async () => {
    const { changes, clock, ensured, keeper, script, vouching } = await unanswered();
    await clock.pass(20_000);
    script.renew = () => Promise.resolve(LOST);
    script.keepAlive = () => Promise.resolve("gone");
    await clock.pass(10_000);
    expect(keeper.view()).toMatchObject({ grantor: "peers", held: { term: 7 } });
    expect(changes).toContain("the store answers, the key is not ours");
    expect(ensured.length).toBeGreaterThan(1);
    script.acquire = () => Promise.resolve({ kind: "won", term: 9 });
    script.renew = () => Promise.resolve(RENEWED);
    await keeper.acquire(BASIS);
    vouching(9);
    expect(keeper.view()).toMatchObject({ grantor: "store", held: { term: 9 } });
    await clock.pass(20_000);
    expect(keeper.view().held?.term).toBe(9);
  });

  it("a clear no is a loss when the store itself granted last", async () => {
    const { clock, keeper, script } = await unanswered();
    script.renew = () => Promise.resolve(LOST);
    await clock.pass(2_100);
    expect(keeper.view().held).toBeUndefined();
  });
});

it("who has promised acquires nothing, and who has sent an acquire is known to have", async () => {
  const { clock, keeper, script } = await wonStage();
  keeper.drop("test");
  script.promised = {
    grantee: "n2",
    term: 9,
    durationMs: 1,
    writtenAt: clock.now(),
    until: clock.now(),
  };
  expect(await keeper.acquire(BASIS)).toEqual({ kind: "taken" });
  expect(keeper.view().acquireUnknownSince).toBeUndefined();
  script.promised = undefined;
  script.acquire = () => new Promise(() => undefined);
  void keeper.acquire(BASIS);
  expect(keeper.view().acquireUnknownSince).toBe(clock.now());
});
