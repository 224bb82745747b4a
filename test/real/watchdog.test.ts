// A node whose file requires a watchdog makes no cluster and leads none before it can feed one.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AgentStage } from "../support/agent.ts";

let stage: AgentStage;

beforeAll(async () => {
  stage = await AgentStage.open();
  await stage.etcd();
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

test("without the device it waits, with it it leads and feeds, and at the end it lets go", async () => {
  const a = await stage.node("a");
  const device = join(a.dir, "watchdog");
  a.change({ watchdog: { mode: "required", device } });
  a.start();
  const waiting = await a.untilReason("bootstrap_waiting");
  expect(waiting.node.because?.detail).toBe("a watchdog is required and it is absent");
  writeFileSync(device, "");
  const { node } = await a.untilReason("leading");
  expect(node.fence.watchdog).toBe("armed");
  expect(await a.stop()).toBe(0);
  expect(readFileSync(device, "latin1")).toMatch(/^\0+V$/);
});
