// A host dies with everything on it, and comes back as a standby.
import { describe, expect, it } from "vitest";
import { moveEtcdLeader } from "../../src/lab/etcd.ts";
import { waitForPrimary } from "../../src/lab/health.ts";
import { measure } from "../../src/lab/measure.ts";
import { incidentFor } from "../support/incidents.ts";
import { expectSafe, heal, make, useLab } from "../support/lab.ts";

const LIMIT_MS = 60_000;
/** A dead host's incident begins with its last sign of life, which is a little older than its death. */
const SIGN_OF_LIFE_MS = 5_000;

describe("with a ttl of 5 seconds", () => {
  const lab = useLab("host", { ttlSeconds: 5 });

  it("a standby takes over from a dead host, which then returns as a standby", async () => {
    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    const since = Date.now() - SIGN_OF_LIFE_MS;
    const measurement = await measure(lab(), {
      fault: () => make(lab(), "kill-node", member.name),
      watchMs: 2_000,
    });
    expectSafe(measurement);
    expect(measurement.after.primary).not.toBe(member.name);
    const gone = await incidentFor(lab(), since, ["host_lost"]);
    expect(gone).toMatchObject({ kind: "failover", from: member.name, missing: [member.name] });
    await heal(lab());
    // Its own part shows that it was not the host: that one was never booted.
    const back = await incidentFor(lab(), since, ["processes_killed"]);
    expect(back).toMatchObject({ id: gone.id, to: measurement.after.primary, missing: [] });
    const primary = await waitForPrimary(lab(), LIMIT_MS);
    expect(primary.member.name).toBe(measurement.after.primary);
  });

  it("also when the store's leader died with it", async () => {
    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    const etcd = lab().etcd.find(({ host }) => host === member.name);
    if (etcd !== undefined) await moveEtcdLeader(lab(), etcd);
    const measurement = await measure(lab(), {
      fault: () => make(lab(), "kill-node", member.name, { withEtcd: true }),
      watchMs: 2_000,
    });
    expectSafe(measurement);
    expect(measurement.after.primary).not.toBe(member.name);
    await heal(lab());
  });

  it("a dead standby disturbs nobody and returns", async () => {
    const primary = await waitForPrimary(lab(), LIMIT_MS);
    const standby = lab().members.find(({ name }) => name !== primary.member.name)?.name ?? "";
    const measurement = await measure(lab(), {
      fault: () => make(lab(), "kill-node", standby),
      watchMs: 2_000,
    });
    expectSafe(measurement);
    expect(measurement.after).toEqual(measurement.before);
    await heal(lab());
  });
});
