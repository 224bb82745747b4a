import { describe, expect, it } from "vitest";
import { createBootClock } from "./boot-clock.ts";

function hosts(monotonic: number, uptime: number | undefined) {
  const at = { monotonic, uptime };
  const now = createBootClock({ monotonicMs: () => at.monotonic, uptimeMs: () => at.uptime });
  return { at, now };
}

describe("boot clock", () => {
  it("is the monotonic clock while the two agree within their resolution", () => {
    const { at, now } = hosts(1000, 995);
    expect(now()).toBe(1000);
    Object.assign(at, { monotonic: 2000, uptime: 2020 });
    expect(now()).toBe(2000);
  });

  it("counts a suspend, during which the monotonic clock stood still", () => {
    const { at, now } = hosts(1000, 1000);
    now();
    Object.assign(at, { monotonic: 1001, uptime: 61_000 });
    expect(now()).toBe(61_000);
    Object.assign(at, { monotonic: 2001, uptime: 61_990 });
    expect(now()).toBe(62_000);
  });

  it("agrees with a process that was started after the suspend", () => {
    expect(hosts(1000, 61_000).now()).toBe(61_000);
  });

  it("is not taken in by a process that did not run between its two readings", () => {
    const at = { time: 1000, pausesMs: [0, 200, 0, 0] };
    const now = createBootClock({
      monotonicMs: () => at.time,
      uptimeMs: () => (at.time += at.pausesMs.shift() ?? 0),
    });
    now();
    at.time = 2000;
    expect(now()).toBe(2200);
    at.pausesMs = Array.from({ length: 99 }, () => 200);
    now();
    at.pausesMs = [];
    expect(now()).toBe(at.time);
  });

  it("takes a container's own uptime, which may start at zero", () => {
    const { at, now } = hosts(50_000, 10);
    expect(now()).toBe(10);
    Object.assign(at, { monotonic: 51_000, uptime: 1010 });
    expect(now()).toBe(1010);
  });

  it("never runs backwards, and goes on when the system stops telling", () => {
    const { at, now } = hosts(1000, 5000);
    expect(now()).toBe(5000);
    Object.assign(at, { monotonic: 1100, uptime: 100 });
    expect(now()).toBe(5100);
    Object.assign(at, { monotonic: 1200, uptime: undefined });
    expect(now()).toBe(5200);
  });

  it("reads the real clocks alike in two readers", () => {
    const [a, b] = [createBootClock(), createBootClock()];
    const [first, between, last] = [a(), b(), a()];
    expect(between).toBeGreaterThanOrEqual(first);
    expect(between).toBeLessThanOrEqual(last);
  });
});
