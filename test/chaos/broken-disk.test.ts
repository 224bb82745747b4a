// The disk of the primary answers everything with an input/output error: whoever cannot keep a promise must not lead.
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { primaryOf, waitForPrimary } from "../../src/lab/health.ts";
import { measure } from "../../src/lab/measure.ts";
import { waitForSync } from "../../src/lab/sync-standbys.ts";
import { waitFor } from "../../src/lab/wait-until.ts";
import { expectSafe, heal, isRoot, make, useLab } from "../support/lab.ts";

const LIMIT_MS = 90_000;

// Mounting and loop devices belong to root, and not every container has the latter.
describe.runIf(isRoot && existsSync("/dev/loop-control"))("on disks of their own", () => {
  const lab = useLab("broken-disk", {
    ttlSeconds: 5,
    diskMegabytes: 512,
    diskKind: "file",
    set: { synchronous_mode: "on" },
  });

  it("a primary whose disk breaks is replaced, nothing is lost, and it returns on a mended disk", async () => {
    await waitForSync(lab(), LIMIT_MS);
    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    const measurement = await measure(lab(), {
      fault: async () => {
        await make(lab(), "break-disk", member.name);
        const leads = async () => (await primaryOf(lab()))?.member.name ?? member.name;
        await waitFor("another primary", async () => (await leads()) !== member.name, {
          limitMs: LIMIT_MS,
        });
      },
      watchMs: 0,
      probe: true,
    });
    expectSafe(measurement);
    expect(measurement.after.primary).not.toBe(member.name);
    await heal(lab());
    expect((await waitForPrimary(lab(), LIMIT_MS)).member.name).toBe(measurement.after.primary);
  });
});
