// L1: after the healing somebody serves writes soon. L2: every member streams. L3: nobody goes round in circles.
import type { MakeChecker } from "./checker.ts";

/** How long after the healing the first write may take; all members stream by the end of the schedule. */
export const WRITES_WITHIN_MS = 60_000;
/** At the end everyone has been calm for this long. */
const CALM_MS = 30_000;
const STEPS_WHEN_CALM = 4;

export const writesReturn: MakeChecker = ({ cluster, workload, violate }) => ({
  finish(healedAt) {
    const first = workload.acknowledged.find((r) => r.at > healedAt);
    if (first === undefined) violate("L1", "no write was acknowledged after the healing");
    else if (first.at > healedAt + WRITES_WITHIN_MS) {
      violate("L1", `the first write came ${Math.round(first.at - healedAt)} ms after the healing`);
    }
    if (cluster.writable() === undefined) violate("L1", "there is no writable primary at the end");
  },
});

export const everyoneStreams: MakeChecker = ({ cluster, violate }) => ({
  finish() {
    const primary = cluster.writable();
    if (primary === undefined) return;
    for (const host of cluster.hosts.values()) {
      if (host === primary) continue;
      const run = host.server.run;
      if (run?.phase === "standby" && run.receiver?.isStreaming() === true) continue;
      violate("L2", `${host.name} does not stream at the end (${run?.phase ?? "down"})`);
    }
  },
});

export const calmAtLast: MakeChecker = ({ violate }) => {
  const steps = new Map<string, { at: number; reason: string }[]>();
  return {
    see(truth, at) {
      if (truth.kind !== "decision" || truth.step === undefined) return;
      const list = steps.get(truth.host) ?? [];
      list.push({ at, reason: truth.reason });
      steps.set(truth.host, list);
    },
    finish(_healedAt, endedAt) {
      for (const [host, list] of steps) {
        const late = list.filter((s) => s.at > endedAt - CALM_MS);
        if (late.length <= STEPS_WHEN_CALM) continue;
        const reasons = [...new Set(late.map((s) => s.reason))].join(", ");
        violate(
          "L3",
          `${host} took ${late.length} steps in the last ${CALM_MS / 1000} s: ${reasons}`,
        );
      }
    },
  };
};
