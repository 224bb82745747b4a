import { describe, expect, it, vi } from "vitest";
import { type Instant, instant } from "../../model/time.ts";
import { createClock } from "./clock.ts";

describe("clock", () => {
  it("wakes nobody before the boot clock says so, however early the timer", () => {
    vi.useFakeTimers();
    try {
      let now: Instant = instant(0);
      const clock = createClock(() => now);
      const woken: string[] = [];
      clock.wakeAt(instant(5000), () => woken.push("late"));
      clock.wakeAt(instant(100), () => woken.push("cancelled")).cancel();
      vi.advanceTimersByTime(10_000);
      expect(woken).toEqual([]);
      // A suspend of the host: the boot clock jumps, the timers have not run meanwhile.
      now = instant(60_000);
      vi.advanceTimersByTime(1000);
      expect(woken).toEqual(["late"]);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it("does not wake who was cancelled by one that was as late", () => {
    vi.useFakeTimers();
    try {
      let now: Instant = instant(0);
      const clock = createClock(() => now);
      const woken: string[] = [];
      clock.wakeAt(instant(5000), () => {
        woken.push("first");
        second.cancel();
      });
      const second = clock.wakeAt(instant(6000), () => woken.push("second"));
      now = instant(60_000);
      vi.advanceTimersByTime(10_000);
      expect(woken).toEqual(["first"]);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it("sleeps until it is woken or aborted", async () => {
    const clock = createClock();
    const before = clock.now();
    await clock.sleep(5);
    expect(clock.now() - before).toBeGreaterThanOrEqual(5);
    const controller = new AbortController();
    const sleeping = clock.sleep(60_000, controller.signal);
    controller.abort(new Error("enough"));
    await expect(sleeping).rejects.toThrow("enough");
    await expect(clock.sleep(0, controller.signal)).rejects.toThrow("enough");
  });

  it("aborts at the deadline with TIMEOUT, or earlier with the outer reason", async () => {
    const clock = createClock();
    using limit = clock.deadline(5);
    await expect(clock.sleep(60_000, limit.signal)).rejects.toMatchObject({ code: "TIMEOUT" });
    const outer = new AbortController();
    using joined = clock.deadline(60_000, outer.signal);
    outer.abort(new Error("stopping"));
    expect(joined.signal.reason).toEqual(new Error("stopping"));
  });
});
