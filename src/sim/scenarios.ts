// What cluster does a story play in?

import type { Scenario } from "../scenario/scenario.ts";
import type { Flaws } from "./cluster.ts";
import type { NodeFactory } from "./node-factory.ts";
import type { Story } from "./story.ts";

export interface StageOptions {
  readonly factory: NodeFactory;
  readonly flaws: Flaws;
  readonly seed: number;
}

/** A calm room: the only faults are the story's. */
export function storyOfScenario(scenario: Scenario, options: StageOptions): Story {
  const names = Array.from({ length: scenario.nodes }, (_, i) => `n${i + 1}`);
  return {
    cluster: {
      seed: options.seed,
      nodes: names.map((name) => ({ name, tags: scenario.tags?.[name] ?? {} })),
      storeOn: names.slice(0, 3),
      electionMs: 600,
      revokesEarly: false,
      network: { latencyMs: 0.3, jitterMs: 0.2, loss: 0 },
      config: {
        ttl: 10,
        loop_wait: 2,
        retry_timeout: 3,
        maximum_lag_on_failover: 1_048_576,
        ...scenario.config,
      },
      factory: options.factory,
      routers: Array.from({ length: scenario.routers ?? 0 }, (_, i) => `r${i + 1}`),
      flaws: options.flaws,
      otherSite: scenario.otherSite,
      strangers: scenario.strangers,
    },
    workload: { clients: 4, everyMs: 40, largestRow: 2_000 },
    faults: scenario.faults,
    healAtMs: scenario.healAtMs,
    endAtMs: scenario.endAtMs,
  };
}
