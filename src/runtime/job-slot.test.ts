// Is there one long step at a time, seen from outside as it is?
import { describe, expect, it } from "vitest";
import { settled } from "../../test/support/clock.ts";
import type { Outcome } from "../controllers/controller.ts";
import { instant } from "../model/time.ts";
import { createJobSlot } from "./job-slot.ts";

const NOW = instant(5);
const outcome = (ok: boolean, result: unknown): Outcome => ({
  at: NOW,
  ok,
  code: undefined,
  why: undefined,
  result,
});

/** A promise that the test ends. */
function pending<T>() {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

function slotWithEnds() {
  const ends: [string, Outcome, boolean][] = [];
  const slot = createJobSlot<string>({
    now: () => NOW,
    outcomeOf: (work) =>
      work().then(
        (result) => outcome(true, result),
        (error: unknown) => outcome(false, error),
      ),
    onEnd: (step, end) => void ends.push([step, end, slot.current() === undefined]),
  });
  return { slot, ends };
}

describe("a job slot", () => {
  it("shows the job with its progress, and is free before its end is told", async () => {
    const { slot, ends } = slotWithEnds();
    const work = pending<string>();
    slot.start("clone", (progress) => {
      progress("1 of 2");
      return work.promise;
    });
    expect(slot.current()).toEqual({
      step: "clone",
      startedAt: NOW,
      progress: "1 of 2",
      cancelled: false,
    });
    work.resolve("all");
    await settled();
    expect(ends).toEqual([["clone", outcome(true, "all"), true]]);
  });

  it("takes one job only", async () => {
    const { slot } = slotWithEnds();
    slot.start("clone", () => settled());
    expect(() => slot.start("rewind", () => settled())).toThrow("the job slot is free");
    await settled();
  });

  it("tells a job once that it is cancelled, and waits for its end", async () => {
    const { slot, ends } = slotWithEnds();
    const reasons: unknown[] = [];
    const work = pending<void>();
    slot.start("clone", (_, signal) => {
      signal.addEventListener("abort", () => reasons.push(signal.reason));
      return work.promise;
    });
    slot.cancel("halt");
    slot.cancel("again");
    expect(reasons).toEqual([new Error("halt")]);
    expect(slot.current()?.cancelled).toBe(true);
    work.resolve();
    await settled();
    expect(ends).toHaveLength(1);
    slot.cancel("nothing runs");
  });

  it("is free for the next job afterwards", async () => {
    const { slot, ends } = slotWithEnds();
    slot.start("a", () => Promise.reject(new Error("no")));
    await settled();
    slot.start("b", () => Promise.resolve());
    await settled();
    expect(ends.map(([step, end]) => [step, end.ok])).toEqual([
      ["a", false],
      ["b", true],
    ]);
  });
});
