// Do the simulated members answer as real ones do?
import { simPeers } from "../../src/sim/peers.ts";
import { SimProcess } from "../../src/sim/process.ts";
import { agentOn, room } from "../../src/sim/testing.ts";
import { driven } from "./driven.ts";
import { peersContract, STATUS } from "./peers-suite.ts";

peersContract("the simulated network", () => {
  const r = room(4);
  const { host, process, clock } = agentOn(r, "n1");
  const other = new SimProcess(r.cluster.kernel, "other");
  const answers = new Map([
    ["n2", () => Promise.resolve(STATUS)],
    ["n3", () => new Promise<never>(() => undefined)],
  ]);
  const peers = simPeers(host, process, {
    agentAt(name) {
      const status = answers.get(name);
      return (
        status && { process: other, status, promise: () => Promise.reject(new Error("not asked")) }
      );
    },
  });
  return Promise.resolve({
    clock,
    peers: driven(r, peers),
    answering: "http://n2:8008",
    silent: "http://n3:8008",
    nobody: "http://n4:8008",
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
});
