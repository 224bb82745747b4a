import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { instant } from "../../model/time.ts";
import { DeadMansSwitch } from "./dead-mans-switch.ts";

/** The boot clock. */
const boot = { now: 0 };
beforeEach(() => {
  vi.useFakeTimers();
  boot.now = 0;
});
afterEach(() => vi.useRealTimers());

/** Time as the timers see it and time as the boot clock sees it. */
function pass(ms: number, slept = 0): void {
  boot.now += slept;
  for (let left = ms; left > 0; left -= 10) {
    boot.now += 10;
    vi.advanceTimersByTime(10);
  }
}

function armedFor(ms: number) {
  const fired: number[] = [];
  const parted: number[] = [];
  let alive = 0;
  const deadMan = new DeadMansSwitch({
    now: () => instant(boot.now),
    onPart: () => parted.push(boot.now),
    onFire: ({ term }) => fired.push(term),
    onAlive: () => {
      alive += 1;
    },
  });
  deadMan.arm({ term: 5, until: instant(boot.now + ms) });
  return { deadMan, fired, parted, alive: () => alive };
}
const refused = expect.objectContaining({ code: "FENCE_UNARMED" });
const code = (act: () => void): unknown => {
  try {
    act();
    return undefined;
  } catch (error) {
    return error;
  }
};

describe("dead man's switch", () => {
  it("fires once, at the deadline and not before", () => {
    const { fired } = armedFor(1000);
    pass(990);
    expect(fired).toEqual([]);
    pass(5000);
    expect(fired).toEqual([5]);
  });

  it("fires at the next look after a suspend that its timer slept through", () => {
    const { fired } = armedFor(60_000);
    pass(250, 120_000);
    expect(fired).toEqual([5]);
  });

  it("moves with each arming, and not after the deadline even if the timer is late", () => {
    const { deadMan, fired } = armedFor(1000);
    pass(900);
    deadMan.arm({ term: 5, until: instant(boot.now + 1000) });
    pass(900);
    expect(fired).toEqual([]);
    boot.now += 200;
    expect(code(() => deadMan.arm({ term: 5, until: instant(boot.now + 1000) }))).toEqual(refused);
    expect(fired).toEqual([5]);
    expect(code(() => deadMan.disarm())).toEqual(refused);
    deadMan.settle();
    deadMan.arm({ term: 6, until: instant(boot.now + 1000) });
    expect(deadMan.armed?.term).toBe(6);
  });

  it("asks for a stop once, shortly before the deadline, and again when an arming comes so far again", () => {
    const { deadMan, parted } = armedFor(1000);
    pass(790);
    expect(parted).toEqual([]);
    pass(100);
    expect(parted).toEqual([800]);
    deadMan.arm({ term: 5, until: instant(boot.now + 1000) });
    pass(2000);
    expect(parted).toEqual([800, 1690]);
  });

  it("obeys no older term, no deadline that is over, and no nonsense", () => {
    const { deadMan } = armedFor(1000);
    for (const bad of [
      { term: 4, until: instant(5000) },
      { term: 5, until: instant(0) },
      { term: 5, until: instant(Number.NaN) },
    ]) {
      expect(code(() => deadMan.arm(bad))).toEqual(refused);
    }
    expect(deadMan.armed).toEqual({ term: 5, until: 1000 });
  });

  it("feeds only while the deadline stands, and never again after disarming", () => {
    const { deadMan, alive, fired } = armedFor(1000);
    pass(500);
    expect(alive()).toBeGreaterThan(1);
    deadMan.disarm();
    const fed = alive();
    pass(5000);
    expect(alive()).toBe(fed);
    expect(fired).toEqual([]);
  });
});
