import { expect, test } from "vitest";
import { type Instant, instant } from "../../model/time.ts";
import type { Clock } from "../../ports/clock.ts";
import { HungProbe, type Probe } from "./probe.ts";

/** Probes every two seconds; each is answered as told, after as long as it takes. */
async function verdicts(answers: readonly ("answer" | "silence")[], tookMs = 1700) {
  let now = 0;
  const clock = { now: (): Instant => instant(now) } as Clock;
  let next = 0;
  const ask: Probe = async () => {
    now += tookMs;
    return answers[next++] ?? "answer";
  };
  const probe = new HungProbe(clock, ask);
  const seen: string[] = [];
  for (let look = 0; look <= answers.length; look++) {
    seen.push(probe.look("/socket"));
    await new Promise((resolve) => setImmediate(resolve));
    now += 300;
  }
  return seen;
}

test("hung needs three silent probes over five seconds", async () => {
  expect(await verdicts(["silence", "silence", "silence"])).toEqual([
    "fine",
    "fine",
    "fine",
    "hung",
  ]);
});

test("any answer begins the count anew", async () => {
  const answers = ["silence", "silence", "answer", "silence", "silence"] as const;
  expect(await verdicts(answers)).not.toContain("hung");
});

test("a probe that was late because our own loop was, counts for nothing", async () => {
  expect(await verdicts(["silence", "silence", "silence", "silence"], 4000)).not.toContain("hung");
});
