// What can be asked of the pooler of this node?
import { poolsThatDoNotFit } from "../../model/pool-fit.ts";
import type { Ms } from "../../model/time.ts";
import { printRfc3339 } from "../../model/wire/rfc3339.ts";
import type { Router } from "../../node/router.ts";
import type { Clock } from "../../ports/clock.ts";
import { poolsJson } from "./pools.ts";
import { json, type Route, type RouteAnswer, text } from "./route.ts";

const LOOK_LIMIT_MS: Ms = 2_500;

/** A fresh look; asked of a member beside its server, or of an agent that is nothing but a router. */
export async function answerPools(router: Router | undefined, clock: Clock): Promise<RouteAnswer> {
  if (router?.pooler === undefined) return text(404, "this agent runs no pooler");
  using limit = clock.deadline(LOOK_LIMIT_MS);
  const seen = await router.pooler.look(limit.signal);
  const refused = await router.pooler.refusals(seen, limit.signal).catch(() => []);
  const problems = [...seen.problems, ...refused, ...tooLarge(router)];
  const asOf = printRfc3339(clock.wallMs());
  return json(poolsJson({ ...seen, problems }, { router: router.self.name, asOf }));
}

/** Judged by the cluster's configuration as it was last read. */
function tooLarge({ self, lastCluster }: Router): readonly string[] {
  const { pgbouncer } = self.settings;
  const config = lastCluster()?.seen.config.value;
  if (pgbouncer === undefined || config === undefined) return [];
  return poolsThatDoNotFit(pgbouncer, config.parameters);
}

export const POOL_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/understudy/pools",
    about:
      "the pools of this router: clients, connections, waits, traffic, and what is not as it should be",
    answer: ({ router, clock }) => answerPools(router, clock),
  },
];
