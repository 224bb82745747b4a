// What does this node publish about itself?

import { memberNamed } from "../../../model/cluster.ts";
import { isValid } from "../../../model/lease.ts";
import type { Member, MemberRole, MemberState } from "../../../model/member.ts";
import type { AnyReason } from "../../../model/reason.ts";
import { isSame } from "../../../model/same.ts";
import { PUBLISHED_VERSION } from "../../../model/wire/member.ts";
import type { HaWorld } from "../world.ts";
import { handingOver } from "./routers.ts";
import { followsSite } from "./site.ts";
import { clusterOf, isPrimary, isStandby, leads, sqlOf } from "./standing.ts";
import { isUnguarded } from "./unguarded.ts";

/** This member as the store should show it. */
export function selfPortrait(w: HaWorld, because: AnyReason): Member {
  const sql = sqlOf(w);
  const asked = handingOver(w);
  return {
    name: w.self.name,
    host: w.self.host,
    port: w.self.port,
    ...(w.self.database === undefined ? {} : { database: w.self.database }),
    ...(w.self.proxyAddress === undefined ? {} : { proxyAddress: w.self.proxyAddress }),
    apiUrl: w.self.apiUrl,
    state: stateOf(w),
    role: roleOf(w),
    version: PUBLISHED_VERSION,
    tags: w.self.tags,
    timeline: sql?.timeline,
    position: sql?.position,
    receivedLsn: sql?.receivedLsn,
    replayedLsn: sql?.replayedLsn,
    replicationState: sql?.walReceiver?.status === "streaming" ? "streaming" : undefined,
    pendingRestart: sql?.pendingRestart ?? [],
    scheduledRestart: w.requests.scheduledRestart,
    paused: w.config.paused,
    ours: { agent: w.self.agentVersion, hold: true, fence: true, heedsPause: true },
    ...(asked === undefined ? {} : { handingOver: asked }),
    because,
  };
}

export function roleOf(w: HaWorld): MemberRole {
  if (w.server.directory !== "data") return "uninitialized";
  if (isPrimary(w)) return isLawful(w) ? "primary" : "demoted";
  return isStandby(w) && followsSite(w) && leads(w) !== undefined ? "standby leader" : "standby";
}

/**
 * Where the store cannot be read or others stand in for it, the lease alone says it: it is good until it ends. In a pause
 * neither is needed.
 */
const isLawful = (w: HaWorld): boolean =>
  isUnguarded(w) ||
  (clusterOf(w) === undefined || w.lease.grantor === "peers"
    ? isValid(w.lease.held, w.now)
    : leads(w) !== undefined);

export function stateOf(w: HaWorld): MemberState {
  const job = w.job?.step.kind;
  if (job === "initialise") return "initializing";
  if (job === "copy-site" || job === "clone" || job === "rewind") return "cloning";
  if (job === "copy-slots") return "restarting";
  if (job === "stop") return "stopping";
  if (job === "start-standby" || job === "start-primary") return "starting";
  const { process } = w.server;
  switch (process.kind) {
    case "down":
      if (w.memory.startFailures > 0) return "start failed";
      return endedInOrder(w) ? "stopped" : "crashed";
    case "orphans":
      return "crashed";
    case "running":
      if (process.accepting === "yes") return sqlOf(w) === undefined ? "unknown" : "running";
      return process.accepting === "starting" ? "starting" : "unknown";
    default:
      return process satisfies never;
  }
}

/** The control file of a server that crashed still says what it was doing. */
const endedInOrder = ({ server: { control } }: HaWorld): boolean =>
  control === undefined || control.state.startsWith("shut down");

/** Whether the store already shows this portrait. */
export function isPublished(w: HaWorld, member: Member): boolean {
  const c = clusterOf(w);
  const old = c === undefined ? undefined : memberNamed(c, w.self.name);
  return old !== undefined && isSame(old, member);
}
