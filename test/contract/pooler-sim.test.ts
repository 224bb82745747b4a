// Does the simulated pooler behave as PgBouncer does?
import { SimPooler } from "../../src/sim/pooler.ts";
import { SimProcess } from "../../src/sim/process.ts";
import { agentOn, room } from "../../src/sim/testing.ts";
import { driven } from "./driven.ts";
import { poolerContract } from "./pooler-suite.ts";

poolerContract("the simulated pooler", () => {
  const r = room(1);
  const { clock } = agentOn(r, "n1");
  const { kernel, truth } = r.cluster;
  const pooler = new SimPooler({ kernel, truth, flaws: {} }, "r1");
  const port = pooler.port(new SimProcess(kernel, "r1/router"));
  return Promise.resolve({
    clock: driven(r, clock),
    pooler: driven(r, port),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
});
