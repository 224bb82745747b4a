// What does this node answer to a member that has to choose among candidates?
import { lacksWatchdog, unfitness } from "../controllers/ha/plans/fitness.ts";
import { roleOf, stateOf } from "../controllers/ha/plans/self-portrait.ts";
import type { HaWorld, Self } from "../controllers/ha/world.ts";
import type { PeerStatus } from "../model/member.ts";
import type { LocalServer } from "../model/server.ts";
import type { Instant } from "../model/time.ts";

/** From a fresh look at the server; position and lineage together, so that they belong to one moment (R23). */
export function peerStatusOf(
  self: Self,
  server: LocalServer,
  last: HaWorld | undefined,
  now: Instant,
): PeerStatus {
  const sql = server.sql.kind === "known" ? server.sql.value : undefined;
  const world = last === undefined ? undefined : { ...last, server, now };
  const isFinal = sql !== undefined && sql.walReceiver === undefined && sql.upstream === undefined;
  return {
    name: self.name,
    role: world === undefined ? "uninitialized" : roleOf(world),
    state: world === undefined ? "unknown" : stateOf(world),
    position: sql?.exhausted === true ? sql.position : undefined,
    timeline: sql?.timeline,
    lineage: server.lineage,
    tags: self.tags,
    unfit: world === undefined ? undefined : unfitness(world),
    watchdogFailed: world !== undefined && lacksWatchdog(world),
    promisedTerm: isFinal ? world?.promisedTerm : undefined,
  };
}
