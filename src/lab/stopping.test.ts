// Is a long command told once to stop, and does a second signal end it at once?
import { describe, expect, it } from "vitest";
import { stopSignal } from "./stopping.ts";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

describe("a long command", () => {
  it("is told by the first signal, and listens to no second one of the kind", () => {
    for (const signal of SIGNALS) {
      const before = new Map(SIGNALS.map((one) => [one, process.rawListeners(one)]));
      const added = (one: (typeof SIGNALS)[number]) =>
        process
          .rawListeners(one)
          .filter((listener) => before.get(one)?.includes(listener) === false);
      const said: string[] = [];
      const stop = stopSignal((text) => said.push(text), "this round is the last");
      expect([stop.aborted, added(signal).length]).toEqual([false, 1]);
      // The runner listens too, and must not hear of it.
      for (const listener of added(signal)) listener(signal);
      expect([stop.aborted, said]).toEqual([true, [`${signal}: this round is the last`]]);
      expect(added(signal)).toEqual([]);
      for (const one of SIGNALS) for (const listener of added(one)) listener(one);
    }
  });
});
