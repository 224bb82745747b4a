// An agent that comes back before its lease has run out adopts what its predecessor had.
import { expect, it } from "vitest";
import { waitForPrimary } from "../../src/lab/health.ts";
import { measure } from "../../src/lab/measure.ts";
import { expectSafe, heal, make, useLab } from "../support/lab.ts";

const LIMIT_MS = 60_000;
/** A holder believes for 14 s: the start of an agent on a busy machine must be well within. */
const TTL_SECONDS = 20;
const LONGER_THAN_THE_LEASE_MS = 1.1 * TTL_SECONDS * 1000;

const lab = useLab("agent-returns", { ttlSeconds: TTL_SECONDS });

it("when an agent comes back in time, nothing has happened at all", async () => {
  const { member } = await waitForPrimary(lab(), LIMIT_MS);
  const measurement = await measure(lab(), {
    fault: () => make(lab(), "restart-agent", member.name, { awayMs: 1_000 }),
    watchMs: LONGER_THAN_THE_LEASE_MS,
    probe: true,
  });
  expectSafe(measurement);
  expect(measurement.after).toEqual(measurement.before);
  await heal(lab());
});
