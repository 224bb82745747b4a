// Is a long command told once to stop, and does a second signal end it at once and say what is left?
import { afterEach, describe, expect, it, vi } from "vitest";
import { EXIT_INTERRUPTED, labLeft, stopSignal } from "./stopping.ts";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
type Signal = (typeof SIGNALS)[number];
const before = new Map(SIGNALS.map((one) => [one, process.rawListeners(one)]));
const added = (one: Signal) =>
  process.rawListeners(one).filter((listener) => before.get(one)?.includes(listener) === false);
/** The runner listens too, and must not hear of it. */
const send = (signal: Signal) => {
  for (const listener of added(signal)) listener(signal);
};

afterEach(() => {
  vi.restoreAllMocks();
  for (const one of SIGNALS)
    for (const listener of added(one)) process.off(one, listener as NodeJS.SignalsListener);
});

describe("a long command", () => {
  it.each(SIGNALS)("is told by the first %s, and ends at the second one of any kind", (signal) => {
    const exits: unknown[] = [];
    vi.spyOn(process, "exit").mockImplementation((code) => {
      exits.push(code);
      throw new Error("ended");
    });
    const said: string[] = [];
    const say = (text: string): void => void said.push(text);
    const stop = stopSignal({ say, now: "this round is the last", left: () => labLeft("one") });
    expect(stop.aborted).toBe(false);
    send(signal);
    expect([stop.aborted, said, exits]).toEqual([true, [`${signal}: this round is the last`], []]);
    expect(() => send("SIGINT")).toThrow("ended");
    expect([said[1], exits]).toEqual([
      "SIGINT again: ended at once. Left: the lab one; take it down with: understudy lab down --name one",
      [EXIT_INTERRUPTED],
    ]);
  });
});
