// Do ttl, loop_wait and retry_timeout fit together, and how are they bent when they don't?
import { type DynamicConfig, defaultsFor } from "../config.ts";
import type { Ms } from "../time.ts";
import type { ConfigProblem, ConfigRules } from "./config-rules.ts";
import { printSeconds } from "./duration.ts";
import type { JsonObject } from "./json.ts";

export type Timings = Pick<DynamicConfig, "ttlMs" | "loopWaitMs" | "retryTimeoutMs">;

interface Fitted {
  readonly values: Timings;
  /** What was bent although somebody wrote it. */
  readonly problems: readonly ConfigProblem[];
  /** What was bent because nobody wrote it. */
  readonly warnings: readonly string[];
}

/** Where a Patroni agent takes part its own lower limits hold, else the ones that `hold` makes safe. */
const OURS: Timings = { ttlMs: 5000, loopWaitMs: 1000, retryTimeoutMs: 1000 };
const MIXED: Timings = { ttlMs: 20_000, loopWaitMs: 1000, retryTimeoutMs: 3000 };

const FIELDS = [
  ["ttlMs", "ttl"],
  ["loopWaitMs", "loop_wait"],
  ["retryTimeoutMs", "retry_timeout"],
] as const;

/** Raises what is too small, then keeps loop_wait + 2 x retry_timeout <= ttl by Patroni's own order. */
export function fitTimings(
  wanted: Partial<Timings>,
  raw: JsonObject,
  rules: Pick<ConfigRules, "allOurs">,
): Fitted {
  const floor = rules.allOurs === false ? MIXED : OURS;
  const absent = defaultsFor(rules.allOurs);
  const asked: Timings = {
    ttlMs: wanted.ttlMs ?? absent.ttlMs,
    loopWaitMs: wanted.loopWaitMs ?? absent.loopWaitMs,
    retryTimeoutMs: wanted.retryTimeoutMs ?? absent.retryTimeoutMs,
  };
  const raised: Timings = {
    ttlMs: Math.max(asked.ttlMs, floor.ttlMs),
    loopWaitMs: Math.max(asked.loopWaitMs, floor.loopWaitMs),
    retryTimeoutMs: Math.max(asked.retryTimeoutMs, floor.retryTimeoutMs),
  };
  const values = fitSum(raised);
  const problems: ConfigProblem[] = [];
  const warnings: string[] = [];
  for (const [field, name] of FIELDS) {
    if (values[field] === asked[field]) continue;
    const low = asked[field] < floor[field];
    const why = low ? `the least is ${printSeconds(floor[field])}` : SUM_RULE;
    const what = `${printSeconds(asked[field])} cannot hold, ${printSeconds(values[field])} is used`;
    if (name in raw) problems.push({ path: name, what, why });
    else warnings.push(`${name}: ${what}, ${why}`);
  }
  return { values, problems, warnings };
}

const SUM_RULE = "loop_wait + 2 x retry_timeout must not exceed ttl";

function fitSum(t: Timings): Timings {
  const room: Ms = t.ttlMs - 2 * t.retryTimeoutMs;
  if (t.loopWaitMs <= room) return t;
  if (room >= OURS.loopWaitMs) return { ...t, loopWaitMs: room };
  const loopWaitMs = OURS.loopWaitMs;
  const half = Math.floor((t.ttlMs - loopWaitMs) / 2000) * 1000;
  return { ttlMs: t.ttlMs, loopWaitMs, retryTimeoutMs: half };
}
