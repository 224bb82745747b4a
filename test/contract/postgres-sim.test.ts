// Does the simulated server keep the promises that PostgreSQL keeps? The simulator lies where it does not.
import { agentOn, type Room, room } from "../../src/sim/testing.ts";
import { driven } from "./driven.ts";
import { postgresContract, type ServerUnderTest } from "./postgres-suite.ts";

const HOSTS = { a: "n1", b: "n2", c: "n3" } as const;
const PASS_MS = 50;

function simServer(r: Room, name: keyof typeof HOSTS): ServerUnderTest {
  const { host, postgres, fence } = agentOn(r, HOSTS[name]);
  const upstream = (slot?: string) => ({ member: name, host: host.name, port: 5432, slot });
  return {
    postgres: driven(r, postgres),
    fence: driven(r, fence),
    upstream,
    async write() {
      const { run } = host.server;
      if (run === undefined) throw new Error("no server");
      await r.drive(new Promise<void>((resolve) => host.server.insert(run, 200, () => resolve())));
    },
    leaveMark() {
      host.disk.marked = true;
      return Promise.resolve();
    },
  };
}

postgresContract("the simulated server", () => {
  const r = room(3);
  return Promise.resolve({
    server: (name) => Promise.resolve(simServer(r, name)),
    nowhere: { member: "nobody", host: "n9", port: 5432, slot: undefined },
    pass: () => r.pass(PASS_MS),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
});
