// The leader asks for a pause before a switchover: pause, drain, and say how it went.
import { after, between, type Ms } from "../../../model/time.ts";
import { ANSWER_SLACK_MS } from "../limits.ts";
import { heldStatus } from "../plans/publishing.ts";
import { askedFor, clusterOf, isPointed } from "../plans/standing.ts";
import type { RouteWorld } from "../world.ts";
import type { Verdict } from "./rung.ts";

export function handOver(w: RouteWorld): Verdict | undefined {
  const c = clusterOf(w);
  const intent = c === undefined ? undefined : askedFor(c);
  const { memory, self } = w;
  const { applied, answer, pause } = memory;
  if (c === undefined || intent === undefined || applied === undefined || !isPointed(c, memory))
    return undefined;
  const { drainBudgetMs, drainPolicy, holdLimitMs, pgbouncer } = self.settings;
  // A balancer cannot keep clients waiting: nothing here has to be paused.
  if (pgbouncer === undefined)
    return { because: "route_held", remember: { answer: { kind: "held", intent } } };
  if (answer?.intent !== intent) {
    return {
      because: "route_holding",
      step: {
        kind: "hold",
        cause: { kind: "asked", intent },
        term: applied.term,
        // Who was cut already leaves quickly, or not at all.
        drainMs: memory.cutFor === intent ? ANSWER_SLACK_MS / 2 : drainBudgetMs,
        limitMs: limitOf(w),
        announce: heldStatus(w, intent),
      },
    };
  }
  if (answer.kind === "held") {
    const wakeAt = pause?.until ?? after(w.now, holdLimitMs);
    return pause === undefined ? undefined : { because: "route_held", wakeAt };
  }
  const detail = answer.blockers.join("; ");
  const { write } = applied;
  if (drainPolicy === "cut" && memory.cutFor !== intent && write !== undefined) {
    const step = { kind: "cut", target: write, intent } as const;
    return { because: "route_cutting_blockers", detail, step };
  }
  return pause === undefined
    ? { because: "route_busy", detail }
    : { because: "route_busy", detail, step: { kind: "release" } };
}

/** Who waits already, on a suspicion or for an earlier try, does not wait anew (T8). */
function limitOf({ self, memory: { pause }, now }: RouteWorld): Ms {
  const { drainBudgetMs, holdLimitMs } = self.settings;
  if (pause === undefined) return drainBudgetMs + holdLimitMs;
  const moreMs = pause.cause.kind === "suspected" ? drainBudgetMs : 0;
  return between(now, pause.until) + moreMs;
}
