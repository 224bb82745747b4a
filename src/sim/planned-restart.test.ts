import { expect, it } from "vitest";
import type { ScheduledRestart } from "../model/restart.ts";
import { createNode } from "../node/start.ts";
import { agentOn, room } from "./testing.ts";

const PLANNED: ScheduledRestart = {
  at: "2030-01-01T00:00:00Z",
  atMs: Date.UTC(2030, 0, 1),
  role: undefined,
  belowVersion: undefined,
  onlyPending: true,
  timeoutMs: undefined,
  serverStartedAt: "then",
};

it("a restart for later outlives the agent, until it is taken back", async () => {
  const r = room(1);
  const { settings } = r.cluster.host("n1").parts;
  const live = () => r.drive(createNode(agentOn(r, "n1"), { settings, agentVersion: "0.0.0" }));
  const first = await live();
  await r.drive(first.scheduleRestart(PLANNED));
  expect(first.requests().scheduledRestart).toEqual(PLANNED);

  const second = await live();
  expect(second.requests().scheduledRestart).toEqual(PLANNED);
  await r.drive(second.scheduleRestart(undefined));
  expect((await live()).requests().scheduledRestart).toBeUndefined();
});

it("is not promised when it cannot be kept", async () => {
  const r = room(1);
  const { settings, disk } = { ...r.cluster.host("n1").parts, disk: r.cluster.host("n1").disk };
  const node = await r.drive(createNode(agentOn(r, "n1"), { settings, agentVersion: "0.0.0" }));
  disk.full = true;
  await expect(r.drive(node.scheduleRestart(PLANNED))).rejects.toThrow();
  expect(node.requests().scheduledRestart).toBeUndefined();
});
