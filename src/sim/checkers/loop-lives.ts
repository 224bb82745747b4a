// T5: whatever hangs, an agent that runs looks again before long: every wait of its loop has a limit.
import type { SimProcess } from "../process.ts";
import type { MakeChecker } from "./checker.ts";

/** A step, its upkeep, the pause between two looks, and a slow store: the sum of all limits of a tick. */
const TICK_LIMIT_MS = 60_000;

interface Look {
  readonly by: SimProcess;
  readonly at: number;
}

export const loopLives: MakeChecker = ({ cluster, violate }) => {
  const looks = new Map<string, Look>();
  const judge = (host: string, now: number): void => {
    const { agent } = cluster.host(host);
    const last = looks.get(host);
    if (agent === undefined || last?.by !== agent || !agent.isRunning) return;
    if (now - last.at <= TICK_LIMIT_MS) return;
    if (!cluster.host(host).isUndisturbedSince(last.at, "agent")) return;
    violate("T5", `the agent of ${host} has not looked for ${Math.round(now - last.at)} ms`);
  };
  return {
    see(truth, at) {
      if (truth.kind !== "look") return;
      judge(truth.host, at);
      const { agent } = cluster.host(truth.host);
      if (agent !== undefined) looks.set(truth.host, { by: agent, at });
    },
    finish(_healedAt, endedAt) {
      for (const host of cluster.hosts.keys()) judge(host, endedAt);
    },
  };
};
