// The primary's host loses the cluster network while clients still reach it: the classic way to two writers.
import { describe, expect, it } from "vitest";
import { waitForHealthy, waitForPrimary } from "../../src/lab/health.ts";
import { measure } from "../../src/lab/measure.ts";
import { isRoot, make, useLab } from "../support/lab.ts";

const LIMIT_MS = 90_000;
const TTL_SECONDS = 5;

// Network namespaces belong to root.
describe.runIf(isRoot)("in network namespaces", () => {
  const lab = useLab("cut", { net: "namespaces", ttlSeconds: TTL_SECONDS });

  it("a primary without its cluster link stops before another one begins", async () => {
    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    const measurement = await measure(lab(), {
      fault: () => make(lab(), "cut", member.name, { links: ["cluster"] }),
      watchMs: 1.5 * TTL_SECONDS * 1000,
      probe: true,
    });
    // Rows that it acknowledged after the cut reached no standby: without synchronous replication
    // nobody promises them.
    expect(measurement.probes?.overlaps).toEqual([]);
    expect(measurement.after.primary).not.toBe(member.name);
    await make(lab(), "heal", member.name);
    await waitForHealthy(lab(), LIMIT_MS);
  });
});
