// Agent and fence guard the server. Whichever of them is taken away, there is never a second writer.
//
// Not here, because no program can cover it: a fence that stands still while its agent is gone or
// stands still too. That is what a hardware watchdog is for.
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { waitForPrimary } from "../../src/lab/health.ts";
import { measure } from "../../src/lab/measure.ts";
import { incidentFor } from "../support/incidents.ts";
import { expectOneWriter, expectSafe, heal, make, useLab } from "../support/lab.ts";

const LIMIT_MS = 60_000;
const TTL_SECONDS = 5;
const LONGER_THAN_THE_LEASE_MS = 1.4 * TTL_SECONDS * 1000;

/** Which faults happen together, and whether one of the two is left to let the server part from its standbys. */
const SUBSETS = [
  { taken: "the agent is killed", verbs: ["kill-agent"], expectKept: expectSafe },
  { taken: "the agent is stopped", verbs: ["stop-agent"], expectKept: expectSafe },
  { taken: "the fence is killed", verbs: ["kill-fence"], expectKept: expectSafe },
  { taken: "the fence is stopped", verbs: ["stop-fence"], expectKept: expectSafe },
  { taken: "both are killed", verbs: ["kill-agent-and-fence"], expectKept: expectOneWriter },
  {
    taken: "the agent is stopped and the fence killed",
    verbs: ["stop-agent", "kill-fence"],
    expectKept: expectOneWriter,
  },
] as const;

describe("never two writers", () => {
  const lab = useLab("guards", { ttlSeconds: TTL_SECONDS });

  it.each(SUBSETS)("when $taken", async ({ verbs, expectKept }) => {
    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    const measurement = await measure(lab(), {
      fault: async () => {
        for (const verb of verbs) await make(lab(), verb, member.name);
      },
      watchMs: LONGER_THAN_THE_LEASE_MS,
      probe: true,
    });
    expectKept(measurement);
    await heal(lab());
  });

  it("when a stopped agent wakes after its lease has run out", async () => {
    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    const since = Date.now() - TTL_SECONDS * 1000;
    const measurement = await measure(lab(), {
      fault: async () => {
        await make(lab(), "stop-agent", member.name);
        await sleep(LONGER_THAN_THE_LEASE_MS);
        await make(lab(), "cont", member.name);
      },
      watchMs: LONGER_THAN_THE_LEASE_MS + 3_000,
      probe: true,
    });
    expectSafe(measurement);
    expect(measurement.after.primary).not.toBe(member.name);
    await heal(lab());
    await incidentFor(lab(), since, ["agent_stalled"]);
  });
});
