// Does the simulated fence keep the promises of the real one?
import { agentOn, never, room } from "../../src/sim/testing.ts";
import { driven } from "./driven.ts";
import { type FenceUnderTest, fenceContract } from "./fence-suite.ts";
import { PLAN } from "./postgres-suite.ts";

async function simFence(): Promise<FenceUnderTest> {
  const r = room(1);
  const first = agentOn(r, "n1");
  const { host } = first;
  await r.drive(first.postgres.initialise(PLAN, () => undefined, never()));
  return {
    clock: first.clock,
    agent: () => driven(r, agentOn(r, "n1").fence),
    command: { program: "", args: ["primary"], dataDir: "", environment: {}, logFile: "" },
    isServerDown: () => host.server.run === undefined,
    serverAnswers: () => r.pass(1_000),
    freezeServer: () => host.server.setFrozen(true),
    killFence: () => host.fence?.process.kill(),
    pass: (ms) => r.pass(ms),
    async reset() {
      host.fence?.process.kill();
      host.server.powerLoss();
      await r.pass(1_000);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

fenceContract("the simulated fence", simFence);
