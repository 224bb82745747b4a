// What does a router say about itself?
import { memberNamed } from "../../model/cluster.ts";
import { sentence } from "../../model/reason.ts";
import { between, type Ms } from "../../model/time.ts";
import { printRfc3339 } from "../../model/wire/rfc3339.ts";
import type { Router } from "../../node/router.ts";
import type { Clock } from "../../ports/clock.ts";

const LOOK_LIMIT_MS: Ms = 2_000;

/** The document of `/router`: the room's view, and a fresh look at the programs. */
export async function routerJson(router: Router, clock: Clock): Promise<unknown> {
  const { self } = router;
  const last = router.last();
  const memory = last?.decision.memory;
  const cluster = router.lastCluster();
  using limit = clock.deadline(LOOK_LIMIT_MS);
  const look = async <T>(
    asked: Promise<T> | undefined,
  ): Promise<T | { problems: string[] } | undefined> =>
    asked?.catch((error: unknown) => ({ problems: [String(error)] }));
  const [pooler, balancer] = await Promise.all([
    look(router.pooler?.look(limit.signal)),
    look(router.balancer?.look(limit.signal)),
  ]);
  const pause = memory?.pause;
  return {
    apiVersion: "understudy/v1",
    kind: "Router",
    asOf: printRfc3339(clock.wallMs()),
    name: self.name,
    agent: self.agentVersion,
    addresses: self.addresses,
    term: memory?.applied?.term,
    primary: memory?.applied?.write?.name,
    reads: memory?.applied?.reads.map(({ name, state }) => ({ name, state })),
    reports: memory?.applied?.reports.map(({ name, state }) => ({ name, state })),
    leader: cluster?.seen.leader?.name,
    leaderState: cluster && memberNamed(cluster.seen, cluster.seen.leader?.name ?? "")?.state,
    because: last?.decision.because,
    sentence: last === undefined ? undefined : sentence(last.decision.because),
    detail: last?.decision.detail,
    storeReadAgoMs: memory === undefined ? undefined : between(memory.storeReadAt, clock.now()),
    paused:
      pause === undefined
        ? undefined
        : {
            cause: pause.cause.kind,
            forMs: Math.round(between(pause.since, clock.now())),
            atMostMs: Math.round(between(pause.since, pause.until)),
          },
    falseAlarms: memory?.alarms.length,
    pooler,
    balancer,
  };
}

/** 200 while writers are sent to a primary; what else is wrong is in the document. */
export function routerStatus(router: Router): number {
  const memory = router.last()?.decision.memory;
  return memory?.applied?.write !== undefined && !memory.closed ? 200 : 503;
}

/** The loop has looked at the world lately. */
export function routerLives(router: Router, now: ReturnType<Clock["now"]>): number {
  const world = router.last()?.world;
  return world !== undefined && between(world.now, now) <= 2 * world.ttlMs ? 200 : 503;
}
