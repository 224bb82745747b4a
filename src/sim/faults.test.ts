import { expect, it } from "vitest";
import type { ServerPlan } from "../ports/postgres.ts";
import { playFault } from "./faults.ts";
import { agentOn, never, room } from "./testing.ts";
import { Workload } from "./workload.ts";

const PLAN: ServerPlan = { parameters: {}, pgHba: [], pgIdent: [], members: 10 };

it("a server on a host that sleeps stays asleep when the signal that stopped it is taken back", async () => {
  const r = room(1);
  const { cluster } = r;
  const workload = new Workload(cluster, { clients: 0, everyMs: 1_000, largestRow: 0 });
  const world = { cluster, workload };
  const { host, fence, postgres } = agentOn(r, "n1");
  await r.drive(fence.ensure(never()));
  await r.drive(postgres.initialise(PLAN, () => undefined, never()));
  await r.drive(postgres.startPrimary(PLAN, 10_000, never()));
  expect(host.server.run?.frozen).toBe(false);
  const node = "n1";
  const wakes = playFault(world, { atMs: 0, verb: { do: "suspendHost", node } });
  const goesOn = playFault(world, { atMs: 0, verb: { do: "stopServer", node } });
  goesOn();
  expect(host.server.run?.frozen).toBe(true);
  wakes();
  expect(host.server.run?.frozen).toBe(false);
});
