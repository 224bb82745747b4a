// May a long step go on?
import { describe, expect, it } from "vitest";
import {
  BRANCH_3,
  following,
  given,
  heldBy,
  jobOf,
  justWon,
  leading,
  remembering,
  unread,
  withLease,
  withoutLease,
} from "../../../../test/support/world.ts";
import { decide } from "../decide.ts";

const PROMOTE = { kind: "promote", term: 200, branch: BRANCH_3, timeoutMs: 300_000 } as const;
const START = {
  kind: "start-primary",
  plan: leading().plan,
  term: 200,
  timeoutMs: 300_000,
} as const;
const STOP = { kind: "stop", timeoutMs: 10_000, heirApiUrl: undefined } as const;

describe.each([PROMOTE, START])("$kind", (step) => {
  it("keeps its lease for being slow", () => {
    const w = given(justWon(), jobOf(step, { agoMs: 299_000 }));
    expect(decide(w)).toMatchObject({ because: "job_running", vouch: true });
  });

  it("goes on while the store cannot be read and the lease is valid", () => {
    expect(decide(given(justWon(), jobOf(step), unread))).toMatchObject({
      because: "job_running",
      vouch: true,
    });
  });

  it("is cancelled when the lease has run out, is gone or is of another term", () => {
    for (const change of [withLease(200, 0), withoutLease, withLease(300)]) {
      expect(decide(given(justWon(), change, jobOf(step)))).toMatchObject({
        because: "job_cancelled_lease_lost",
        cancelJob: true,
        vouch: false,
      });
    }
  });

  it("is given up after primary_start_timeout (R37)", () => {
    expect(decide(given(justWon(), jobOf(step, { agoMs: 300_000 })))).toMatchObject({
      because: "promotion_too_slow",
      cancelJob: true,
      vouch: false,
    });
  });

  it("is given more time after each promotion that was given up", () => {
    const slow = remembering({ slowPromotions: 1 });
    const isPromotion = step.kind === "promote";
    const w = given(justWon(), slow, jobOf(step, { agoMs: 300_000 }));
    expect(decide(w).because).toBe(isPromotion ? "job_running" : "promotion_too_slow");
    const late = decide(given(justWon(), slow, jobOf(step, { agoMs: 600_000 })));
    expect(late.memory.slowPromotions).toBe(isPromotion ? 2 : 1);
  });

  it("is cancelled once", () => {
    const w = given(justWon(), withoutLease, jobOf(step, { cancelled: true }));
    expect(decide(w)).toMatchObject({ because: "job_running", vouch: false });
    expect(decide(w).cancelJob).toBeUndefined();
  });
});

describe("other long steps", () => {
  it("keep the lease of a primary that is being stopped", () => {
    expect(decide(given(leading(), jobOf(STOP))).vouch).toBe(true);
    expect(decide(given(leading(), jobOf(STOP), heldBy("n2", 200))).vouch).toBe(false);
  });

  it("say how far they are", () => {
    const w = given(following(), jobOf(STOP, { progress: "waiting" }));
    expect(decide(w).detail).toBe("stop: waiting");
  });
});

describe("start-standby", () => {
  const alone = {
    kind: "start-standby",
    plan: leading().plan,
    upstream: undefined,
    timeoutMs: 300_000,
  } as const;

  it("without an upstream is begun anew once there is a leader to follow", () => {
    const w = given(following(), jobOf(alone, { agoMs: 5_000 }));
    expect(decide(w)).toMatchObject({ because: "job_running", cancelJob: true });
  });

  it("is left alone while it is young, has an upstream, or nobody leads", () => {
    const upstream = { host: "n1.example", port: 5432, member: "n1", slot: "n2" };
    const worlds = [
      given(following(), jobOf(alone, { agoMs: 4_999 })),
      given(following(), jobOf({ ...alone, upstream }, { agoMs: 60_000 })),
      given(following(), unread, jobOf(alone, { agoMs: 60_000 })),
    ];
    for (const w of worlds) expect(decide(w).cancelJob).toBeUndefined();
  });
});
