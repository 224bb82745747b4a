import { describe, expect, it } from "vitest";
import { instant } from "../model/time.ts";
import { HostClock, processClock } from "./clock.ts";
import { dice } from "./dice.ts";
import { Kernel } from "./kernel.ts";
import { SimProcess } from "./process.ts";

const turns = async (n: number) => {
  for (let i = 0; i < n; i++) await Promise.resolve();
};

describe("the kernel", () => {
  it("runs effects by time, then by order of planning", async () => {
    const kernel = new Kernel();
    const seen: string[] = [];
    kernel.at(5, () => seen.push("b"));
    kernel.at(1, () => seen.push("a"));
    kernel.at(5, () => seen.push("c"));
    kernel.at(3, () => seen.push("never")).cancel();
    await kernel.runUntil(10);
    expect(seen).toEqual(["a", "b", "c"]);
    expect(kernel.now).toBe(10);
  });

  it("lets every promise settle before the next effect, however long the chain", async () => {
    const kernel = new Kernel();
    const seen: string[] = [];
    kernel.at(1, () => {
      kernel.touch();
      void turns(200).then(() => seen.push("settled"));
    });
    kernel.at(1, () => seen.push("next"));
    await kernel.runUntil(2);
    expect(seen).toEqual(["settled", "next"]);
  });

  it("keeps a random order of a thousand times", async () => {
    const kernel = new Kernel();
    const d = dice(3);
    const seen: number[] = [];
    for (let i = 0; i < 1_000; i++) {
      const at = d.integer(500);
      kernel.at(at, () => seen.push(at));
    }
    await kernel.runUntil(500);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen).toHaveLength(1_000);
  });
});

describe("dice", () => {
  it("throw the same for the same seed, and otherwise for another", () => {
    const throws = (seed: number) =>
      Array.from({ length: 5 }, () => dice(seed).fork("x").integer(1000));
    expect(throws(1)).toEqual(throws(1));
    expect(throws(1)).not.toEqual(throws(2));
    expect(BigInt(dice(1).leaseId())).toBeLessThan(1n << 62n);
  });
});

describe("a process", () => {
  it("gets what happened during a pause late and in order, and nothing after its death", async () => {
    const kernel = new Kernel();
    const process = new SimProcess(kernel, "p");
    const seen: number[] = [];
    process.pause();
    process.deliver(() => seen.push(1));
    process.send(() => seen.push(2));
    process.resume();
    await kernel.runUntil(1);
    process.kill();
    process.deliver(() => seen.push(3));
    expect(seen).toEqual([1, 2]);
  });

  it("can stand still between the decision to send and the sending", async () => {
    const kernel = new Kernel();
    const process = new SimProcess(kernel, "p");
    let sentAt = -1;
    process.stallAtNextSend(700);
    process.send(() => {
      sentAt = kernel.now;
    });
    await kernel.runUntil(1_000);
    expect(sentAt).toBe(700);
  });
});

describe("a host's clock", () => {
  it("runs at its own rate, and its timers with it", async () => {
    const kernel = new Kernel();
    const clock = new HostClock(kernel, 0.99, 1_000);
    const port = processClock(kernel, clock, new SimProcess(kernel, "p"));
    let firedAt = 0;
    port.wakeAt(instant(1_990), () => {
      firedAt = kernel.now;
    });
    await kernel.runUntil(2_000);
    expect(firedAt).toBeCloseTo(1_000);
    expect(port.now()).toBeCloseTo(1_000 + 1_980);
  });

  it("holds a timer that became due too early by a slower rate", async () => {
    const kernel = new Kernel();
    const clock = new HostClock(kernel, 1, 0);
    const port = processClock(kernel, clock, new SimProcess(kernel, "p"));
    let firedAt = 0;
    port.wakeAt(instant(100), () => {
      firedAt = kernel.now;
    });
    kernel.at(50, () => clock.setRate(0.5));
    await kernel.runUntil(1_000);
    expect(firedAt).toBeCloseTo(150);
  });

  it("aborts a deadline, and a sleep with its signal", async () => {
    const kernel = new Kernel();
    const port = processClock(kernel, new HostClock(kernel, 1, 0), new SimProcess(kernel, "p"));
    const limit = port.deadline(100);
    const slept = port.sleep(1_000, limit.signal).then(
      () => "slept",
      () => `aborted at ${kernel.now}`,
    );
    await kernel.runUntil(2_000);
    await expect(slept).resolves.toBe("aborted at 100");
  });
});
