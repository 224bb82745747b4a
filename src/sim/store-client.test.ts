import { describe, expect, it } from "vitest";
import { dice } from "./dice.ts";
import { SimProcess } from "./process.ts";
import { SimStore } from "./store.ts";
import { SimStoreClient } from "./store-client.ts";
import { noPathFaults } from "./store-path.ts";
import { room } from "./testing.ts";

/** Often enough for a client to change its endpoint a good many times. */
const CALLS = 8_000;
const OPTIONS = { timeoutMs: 600 };
/** Long before the share of the time that a silent endpoint costs. */
const AT_ONCE_MS = 50;

describe("a simulated client of the store", () => {
  it("never leaves an endpoint that answers for one that does not", async () => {
    const r = room(1);
    const { kernel, network } = r.cluster;
    const store = new SimStore(
      { kernel, network, dice: dice(1) },
      { members: ["e1", "e2", "e3"], electionMs: 500, revokesEarly: false },
    );
    const client = new SimStoreClient({
      writesAsStranger: false,
      store,
      process: new SimProcess(kernel, "n1/agent"),
      host: "n1",
      dice: dice(2),
      faults: noPathFaults(),
      onLostAnswer: () => undefined,
      onApplied: () => undefined,
    });
    network.setPower("e2", false);
    let slowest = 0;
    for (let n = 0; n < CALLS; n++) {
      const began = kernel.now;
      // A renewal is two requests that leave at once: the second goes where the first has left the client.
      await r.drive(Promise.all([client.range("/", OPTIONS), client.range("/", OPTIONS)]));
      slowest = Math.max(slowest, kernel.now - began);
    }
    expect(slowest).toBeLessThan(AT_ONCE_MS);
  });
});
