// Does a primary that is alone stop acknowledging, and only one that somebody could replace?
import { describe, expect, it } from "vitest";
import {
  cluster,
  config,
  given,
  leading,
  listed,
  NOW,
  outcome,
  remembering,
  server,
  TERM,
  unread,
  withLease,
} from "../../../../test/support/world.ts";
import { after } from "../../../model/time.ts";
import { decide } from "../decide.ts";
import type { HaWorld } from "../world.ts";

const heardAgo = (ms: number) => (w: HaWorld) => {
  const heardAt = after(NOW, -ms);
  const alone = { ...w, lease: { ...w.lease, renewedAt: after(NOW, -6_000) } };
  return given(alone, remembering({ heardAt }));
};
const silent = (w: HaWorld): HaWorld => ({
  ...w,
  contact: { heardAt: undefined, everybodySilent: true },
});
const closed = server({ syncNames: { kind: "closed" } });
const proven = (agoMs: number) => outcome("close-gate", { agoMs, result: { kind: "closed" } });
const alone = (...more: Parameters<typeof given>[1][]) =>
  given(leading(), unread, heardAgo(3_000), silent, ...more);

describe("a primary that nobody answers", () => {
  it("closes the gate after three seconds, and goes on asking for its lease", () => {
    const closing = { because: "isolated_closing_gate", step: { kind: "close-gate" }, vouch: true };
    expect(decide(alone())).toMatchObject(closing);
    expect(decide(alone(heardAgo(2_999))).because).toBe("store_unread_lease_valid");
  });

  it("closes it until it is proven closed, and since it has been alone", () => {
    expect(decide(alone(closed)).step).toEqual({ kind: "close-gate" });
    const unproven = outcome("close-gate", { agoMs: 100, result: { kind: "unproven", why: "" } });
    expect(decide(alone(closed, unproven)).step).toEqual({ kind: "close-gate" });
    expect(decide(alone(closed, proven(10_000))).step).toEqual({ kind: "close-gate" });
    expect(decide(alone(closed, proven(100)))).toMatchObject({
      because: "isolated_gate_closed",
      wakeAt: NOW + 250,
      vouch: true,
    });
  });

  it("stops before its lease ends, gate or not", () => {
    const w = alone(closed, proven(100), withLease(TERM, 700));
    expect(decide(w)).toMatchObject({ because: "store_unread_demoting", step: { kind: "stop" } });
  });

  it("does nothing where nobody could take over, where it is told not to, or nothing was tried", () => {
    expect(decide(alone(remembering({ heardAt: after(NOW, -3_000) }), nobodyElse)).step).toBe(
      undefined,
    );
    expect(decide(alone(config({ isolationMs: 0 }))).step).toBeUndefined();
    const untried = (w: HaWorld): HaWorld => ({
      ...w,
      contact: { heardAt: undefined, everybodySilent: false },
    });
    expect(decide(alone(untried)).step).toBeUndefined();
  });

  it("waits as long as it is told to", () => {
    expect(decide(alone(config({ isolationMs: 5_000 }))).step).toBeUndefined();
    expect(decide(alone(config({ isolationMs: 5_000 }), heardAgo(5_000))).because).toBe(
      "isolated_closing_gate",
    );
  });

  const nobodyElse = (w: HaWorld): HaWorld => {
    const roster = { ...w.memory.roster, confirmed: { n1: "http://n1.example:8008" } };
    return { ...w, memory: { ...w.memory, roster } };
  };
});

describe("a gate that was closed", () => {
  it("is opened when a member answers, the store, or after the next promotion", () => {
    const opening = { because: "isolated_opening_gate", step: { kind: "open-gate" }, vouch: true };
    expect(decide(given(leading(), unread, closed))).toMatchObject(opening);
    expect(decide(given(leading(), closed))).toMatchObject(opening);
    expect(decide(given(leading(), closed, listed("n1")))).toMatchObject(opening);
  });

  it("is neither closed nor opened here where standbys are synchronous", () => {
    for (const mode of ["on", "quorum"] as const) {
      const sync = config({ synchronousMode: mode });
      expect(decide(alone(sync)).because).toBe("store_unread_lease_valid");
      expect(decide(given(leading(), closed, sync)).step?.kind).not.toBe("open-gate");
      expect(decide(given(leading(), unread, closed, sync)).step).toBeUndefined();
    }
    const left = cluster(() => ({
      sync: { value: { leader: "n1", standbys: [], quorum: 0 }, modRevision: 7 },
    }));
    expect(decide(given(leading(), closed, left)).step?.kind).toBe("write-sync");
    const off = config({ synchronousMode: "off" });
    expect(decide(alone(off)).because).toBe("isolated_closing_gate");
  });

  it("stays closed while a look has shown nothing either way", () => {
    const w = given(alone(closed, proven(100)), (x) => ({
      ...x,
      contact: { heardAt: undefined, everybodySilent: false },
    }));
    expect(decide(w).step).toBeUndefined();
  });
});
