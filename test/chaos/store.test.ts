// The store goes away and comes back: without failsafe mode nobody may be primary without it, and nothing is lost.
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { healthOf, primariesIn, waitForPrimary } from "../../src/lab/health.ts";
import { measure } from "../../src/lab/measure.ts";
import { waitFor } from "../../src/lab/wait-until.ts";
import { incidentFor } from "../support/incidents.ts";
import { expectSafe, heal, make, useLab } from "../support/lab.ts";

const LIMIT_MS = 60_000;
const TTL_SECONDS = 5;

describe("without failsafe mode, with a ttl of 5 seconds", () => {
  const lab = useLab("store", {
    ttlSeconds: TTL_SECONDS,
    set: { failsafe_mode: "false" },
  });
  const all = async (verb: "kill-etcd" | "restart-etcd"): Promise<void> => {
    for (const { name } of lab().etcd) await make(lab(), verb, name);
  };

  it("the primary gives up while the store is down, and serves again when it is back", async () => {
    await waitForPrimary(lab(), LIMIT_MS);
    const since = Date.now();
    const measurement = await measure(lab(), {
      fault: async () => {
        await all("kill-etcd");
        const noPrimary = async () => primariesIn(await healthOf(lab())).length === 0;
        await waitFor("the primary to give up", noPrimary, { limitMs: LIMIT_MS });
        await sleep(TTL_SECONDS * 1000);
        expect(primariesIn(await healthOf(lab()))).toEqual([]);
        await all("restart-etcd");
      },
      watchMs: TTL_SECONDS * 1000,
      probe: true,
    });
    expectSafe(measurement);
    await heal(lab());
    await incidentFor(lab(), since, ["store_down"]);
  });

  it("one member of three may die without anybody noticing", async () => {
    const measurement = await measure(lab(), {
      fault: () => make(lab(), "kill-etcd", "e1"),
      watchMs: 1.5 * TTL_SECONDS * 1000,
      probe: true,
    });
    expectSafe(measurement);
    expect(measurement.after).toEqual(measurement.before);
    await heal(lab());
  });
});
