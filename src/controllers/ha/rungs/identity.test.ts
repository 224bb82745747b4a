// Whose data, whose cluster, whose lease?
import { describe, expect, it } from "vitest";
import {
  acquireUnknown,
  armed,
  asPrimary,
  asStandby,
  byPeers,
  crashed,
  following,
  foreignSystem,
  given,
  heldBy,
  leading,
  NOW,
  outcome,
  paused,
  promised,
  released,
  remembering,
  stray,
  TERM,
  unarmed,
  withLease,
  withoutHold,
  withoutLeader,
  withoutLease,
} from "../../../../test/support/world.ts";
import { after } from "../../../model/time.ts";
import { decide } from "../decide.ts";
import type { HaWorld } from "../world.ts";

describe("data of another cluster", () => {
  it("is refused and left alone", () => {
    for (const w of [given(following(), foreignSystem), given(following(), crashed, foreignSystem)])
      expect(decide(w)).toMatchObject({ because: "foreign_system_id" });
    expect(decide(given(following(), foreignSystem)).step).toBeUndefined();
  });

  it("is no excuse for a primary of ours without a lease", () => {
    const w = given(following(), asPrimary, foreignSystem);
    expect(decide(w).step).toEqual({ kind: "kill" });
    expect(decide(given(w, stray)).step).toBeUndefined();
    expect(decide(given(w, paused)).step).toBeUndefined();
  });
});

describe("a lease that the store does not show as ours", () => {
  it("is dropped", () => {
    for (const change of [withoutLeader, heldBy("n2", 200), heldBy("n1", 101)]) {
      expect(decide(given(leading(), change))).toMatchObject({
        because: "lease_gone",
        step: { kind: "drop-lease" },
        vouch: false,
      });
    }
  });
});

describe("an agent that came back under its fence", () => {
  const back = [withoutLease] as const;

  it("adopts the lease that key, lease id and fence agree on (R10)", () => {
    expect(decide(given(leading(), ...back))).toMatchObject({
      because: "adopting",
      step: { kind: "adopt", term: TERM, sentAt: NOW, seq: 17 },
    });
  });

  it("adopts it also when the server has died meanwhile", () => {
    expect(decide(given(leading(), ...back, crashed)).because).toBe("adopting");
  });

  it("adopts nothing that the fence does not know, or knows to have ended", () => {
    for (const change of [unarmed, armed(99, 5_000), armed(TERM, 0), withoutHold])
      expect(decide(given(leading(), ...back, change)).because).not.toBe("adopting");
  });

  it("adopts nothing that hangs on another lease id: a clone of this host may hold it", () => {
    const w = given(leading(), ...back, heldBy("n1", TERM, "lease-of-a-clone"));
    expect(decide(w)).toMatchObject({ because: "follow_demoting", step: { kind: "kill" } });
  });

  it("adopts nothing when the fence has been told another lease id", () => {
    const w = given(leading(), ...back, (x) => ({ ...x, fence: { ...x.fence, leaseId: "other" } }));
    expect(decide(w).because).toBe("follow_demoting");
  });
});

describe("an acquire whose answer was lost", () => {
  it("is adopted, counted from when it was sent", () => {
    const w = given(following(), heldBy("n2", 200), acquireUnknown(900));
    expect(decide(w).step).toMatchObject({ kind: "adopt", term: 200, sentAt: NOW - 900 });
  });

  it("is adopted no more after H", () => {
    const w = given(following(), heldBy("n2", 200), acquireUnknown(8_000));
    expect(decide(w).because).toBe("follow_waiting");
  });

  it("keeps what the race has taught", () => {
    const racing = remembering({ racingSince: after(NOW, -9_000) });
    const w = given(following(), heldBy("n2", 200), acquireUnknown(900), racing);
    expect(decide(w).memory.racingSince).toBe(NOW - 9_000);
  });
});

describe("a leader key that ended while the peers stood in for the store", () => {
  it("is acquired anew under what the store shows, and the server runs on", () => {
    const w = given(leading(), byPeers, withoutLeader);
    expect(decide(w)).toMatchObject({
      because: "lead_taking_key_anew",
      step: { kind: "acquire", basis: { holdRevision: 500, rosterRevision: 300 } },
      vouch: true,
    });
    const tried = given(w, outcome("acquire", { agoMs: 100, result: { kind: "taken" } }));
    expect(decide(tried)).toMatchObject({ because: "lead_taking_key_anew", wakeAt: NOW + 150 });
    expect(decide(tried).step).toBeUndefined();
  });

  it("is lost when anybody's word stands against it: a leader, a newer hold, a release, the time", () => {
    for (const change of [
      heldBy("n2", 200),
      released({ heir: undefined, minLsn: undefined }, { ago: 0 }),
      withLease(TERM, 0),
      (w: HaWorld) => given(w, heldBy("n2", 200), withoutLeader),
      (w: HaWorld) => given(w, withoutLeader, withoutHold),
    ]) {
      const w = given(leading(), byPeers, withoutLeader, change);
      expect(decide(w).because).toBe("lease_gone");
    }
  });

  it("is adopted when the answer to that acquire was lost", () => {
    const w = given(leading(), byPeers, acquireUnknown(300), heldBy("n1", 200));
    expect(decide(w).step).toMatchObject({ kind: "adopt", term: 200, sentAt: NOW - 300 });
  });
});

it("who has promised since adopts no late acquire of its own", () => {
  const w = given(following(), heldBy("n2", 200), acquireUnknown(900), promised());
  expect(decide(w).step?.kind).not.toBe("adopt");
});

describe("an own lease that nobody told this process about", () => {
  it("is not adopted when the fence was armed for another term", () => {
    expect(decide(given(leading(), withoutLease, armed(99, 5_000))).because).toBe(
      "follow_demoting",
    );
  });

  it("is adopted when an acquire of this process was never answered", () => {
    const w = given(following(), heldBy("n2", 200), acquireUnknown(900));
    expect(decide(w)).toMatchObject({
      because: "adopting",
      step: { kind: "adopt", term: 200, sentAt: NOW - 900 },
    });
  });

  it("is a stranger's when its lease id is not ours", () => {
    const w = given(following(), heldBy("n2", 200, "lease-of-a-clone"), acquireUnknown(900));
    expect(decide(w).because).toBe("follow_waiting");
    expect(decide(given(w, asStandby)).step).toBeUndefined();
  });
});
