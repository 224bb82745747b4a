// The store is away for longer than any lease: who may go on, and who must not?
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { healthOf, primariesIn, waitForPrimary } from "../../src/lab/health.ts";
import { measure } from "../../src/lab/measure.ts";
import { waitFor } from "../../src/lab/wait-until.ts";
import { expectOneWriter, expectSafe, heal, isRoot, make, useLab } from "../support/lab.ts";

const LIMIT_MS = 60_000;
const TTL_SECONDS = 5;
const MANY_LEASES_MS = 4 * TTL_SECONDS * 1000;

// Network namespaces belong to root.
describe.runIf(isRoot)("with failsafe mode, in network namespaces", () => {
  const lab = useLab("failsafe", { net: "namespaces", ttlSeconds: TTL_SECONDS });
  const all = async (verb: "kill-etcd" | "restart-etcd"): Promise<void> => {
    for (const { name } of lab().etcd) await make(lab(), verb, name);
  };
  const primary = async () => primariesIn(await healthOf(lab())).map(({ member }) => member.name);

  it("the primary goes on through an outage of the store, for as long as all others promise", async () => {
    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    const seen = new Set<string>();
    const measurement = await measure(lab(), {
      fault: async () => {
        await all("kill-etcd");
        for (let waited = 0; waited < MANY_LEASES_MS; waited += 1_000) {
          await sleep(1_000);
          seen.add((await primary()).join());
        }
        await all("restart-etcd");
      },
      watchMs: TTL_SECONDS * 1000,
      probe: true,
    });
    expectSafe(measurement);
    expect([...seen]).toEqual([member.name]);
    expect(measurement.after).toEqual(measurement.before);
    await heal(lab());
  });

  it("a primary that the store alone does not answer goes on, and takes its key anew", async () => {
    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    const measurement = await measure(lab(), {
      fault: async () => {
        await make(lab(), "cut", member.name, { from: ["store"] });
        await sleep(MANY_LEASES_MS);
        await make(lab(), "heal", member.name);
      },
      watchMs: TTL_SECONDS * 1000,
      probe: true,
    });
    expectSafe(measurement);
    expect(measurement.after).toEqual(measurement.before);
    await heal(lab());
  });

  it("it gives up when one of them is gone too, and nobody leads before the store is back", async () => {
    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    const other = lab().members.find(({ name }) => name !== member.name)?.name ?? "";
    const measurement = await measure(lab(), {
      fault: async () => {
        await all("kill-etcd");
        await make(lab(), "kill-agent", other);
        await waitFor("the primary to give up", async () => (await primary()).length === 0, {
          limitMs: LIMIT_MS,
        });
        await sleep(MANY_LEASES_MS);
        expect(await primary()).toEqual([]);
        await all("restart-etcd");
      },
      watchMs: TTL_SECONDS * 1000,
      probe: true,
    });
    expectOneWriter(measurement);
    await heal(lab());
  });
});
