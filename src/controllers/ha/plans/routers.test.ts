// Does the primary stop only once the clients of the routers wait, and for how long does it ask?
import { describe, expect, it } from "vitest";
import {
  askedFor,
  BUSY,
  HELD,
  routed,
  WISH,
  wished,
} from "../../../../test/support/routed-world.ts";
import { given, leading, NOW } from "../../../../test/support/world.ts";
import type { HoldAnswer } from "../../../model/route.ts";
import { after } from "../../../model/time.ts";
import { decide } from "../decide.ts";
import { selfPortrait } from "./self-portrait.ts";

const asking = (...answers: readonly (HoldAnswer | undefined)[]) =>
  given(leading(), wished, routed(...answers), askedFor(100));

describe("a switchover with routers", () => {
  it("begins with a checkpoint, before any client waits", () => {
    const w = given(leading(), wished, routed(undefined));
    const decision = decide(w);
    expect(decision.because).toBe("switchover_waiting_for_routers");
    expect(decision.upkeep.at(-1)).toEqual({ kind: "checkpoint" });
    expect(decision.memory.handover).toEqual({ revision: WISH, since: NOW });
    expect(selfPortrait(w, "leading").handingOver).toBeUndefined();
  });

  it("then asks them in its member key, and waits for every one", () => {
    const w = asking(HELD, undefined);
    expect(selfPortrait(w, "leading").handingOver).toBe(WISH);
    const decision = decide(w);
    expect(decision).toMatchObject({
      because: "switchover_waiting_for_routers",
      detail: "r2",
      vouch: true,
      wakeAt: after(NOW, 6_900),
    });
    expect(decision.step).toBeUndefined();
  });

  it("stops the server when all have paused, or those that have not are out of time", () => {
    expect(decide(asking(HELD, HELD)).step).toMatchObject({ kind: "stop" });
    const late = given(leading(), wished, routed(HELD, undefined), askedFor(7_000));
    expect(decide(late).step).toMatchObject({ kind: "stop" });
  });

  it("is given up when a client blocks one of them, and says who", () => {
    const decision = decide(asking(HELD, BUSY));
    expect(decision).toMatchObject({ because: "switchover_blocked", detail: "r2: app@10.0.0.9" });
    expect(decision.upkeep.at(-1)).toEqual({ kind: "clear-failover", revision: WISH });
  });

  it("takes an answer to another wish for none", () => {
    const decision = decide(asking({ kind: "held", intent: WISH - 1 }));
    expect(decision.because).toBe("switchover_waiting_for_routers");
    const busy = decide(asking({ ...BUSY, intent: WISH - 1 }));
    expect(busy.because).toBe("switchover_waiting_for_routers");
  });

  it("asks for nothing any more when the wish or the lease is gone", () => {
    const unwished = given(leading(), routed(HELD), askedFor(100));
    expect(selfPortrait(unwished, "leading").handingOver).toBeUndefined();
    const w = asking(HELD);
    const bare = { ...w, lease: { ...w.lease, held: undefined } };
    expect(selfPortrait(bare, "leading").handingOver).toBeUndefined();
  });
});

it("without routers nothing is asked", () => {
  expect(decide(given(leading(), wished, routed())).because).toBe("switchover_stopping");
});
