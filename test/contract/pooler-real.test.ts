// Does the real PgBouncer keep the promises?
import { PoolerStage } from "../support/pooler-stage.ts";
import { clock } from "../support/postgres-stage.ts";
import { poolerContract } from "./pooler-suite.ts";

poolerContract("PgBouncer", async () => {
  const stage = await PoolerStage.open();
  const pooler = stage.pooler(await stage.settings());
  return { clock, pooler, [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose]() };
});
