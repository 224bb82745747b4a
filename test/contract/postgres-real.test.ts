// Does PostgreSQL, through our adapter and our fence, keep a server's promises?
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "../support/free-port.ts";
import { PostgresStage } from "../support/postgres-stage.ts";
import { postgresContract, type ServerUnderTest } from "./postgres-suite.ts";

const PASS_MS = 20;

async function realServer(stage: PostgresStage, name: string): Promise<ServerUnderTest> {
  const node = await stage.node(name);
  let rows = 0;
  return {
    postgres: node.postgres,
    fence: node.fence,
    upstream: (slot) => node.upstream(slot),
    async write() {
      if (rows === 0) await node.query("CREATE TABLE IF NOT EXISTS public.t (n int)");
      rows += 1;
      await node.query("INSERT INTO public.t VALUES (1)");
    },
    leaveMark() {
      writeFileSync(join(node.stateDir, "rebuild.json"), '{"work":"rewind"}\n');
      return Promise.resolve();
    },
  };
}

postgresContract("PostgreSQL", async () => {
  const stage = await PostgresStage.open();
  const nowhere = { member: "nobody", host: "127.0.0.1", port: await freePort(), slot: undefined };
  return {
    server: (name) => realServer(stage, name),
    nowhere,
    pass: () => pause(PASS_MS),
    [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose](),
  };
});
