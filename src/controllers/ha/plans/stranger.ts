// Did an agent that is none of ours lead last, and does its server still take writes? (R35)
//
// Patroni's agents keep no `hold` and no fence. Their key ends with their lease or with an orderly hand-over; but an agent
// that was killed leaves a server that goes on. So nobody leads after one without having asked that server itself.
import { type ClusterSnapshot, memberNamed } from "../../../model/cluster.ts";
import { isStranger } from "../../../model/member.ts";
import type { HaMemory, HaWorld, StrangerServer } from "../world.ts";
import type { Refusal } from "./refusal.ts";
import { clusterOf, sqlOf } from "./standing.ts";

/** Kept until one of ours leads: the keys of a stranger that died are gone before anybody asks. */
export function strangerLed(w: HaWorld, memory: HaMemory): StrangerServer | undefined {
  const c = clusterOf(w);
  if (c === undefined) return memory.strangerLed;
  const { leader } = c;
  if (leader === undefined) return memory.strangerLed;
  const member = memberNamed(c, leader.name);
  if (member === undefined) return memory.strangerLed;
  // Until this member has promoted, the stranger's server is the one before it.
  if (leader.term === w.lease.held?.term && sqlOf(w)?.inRecovery !== false)
    return memory.strangerLed;
  if (!isStranger(member)) return undefined;
  const { name, host, port } = member;
  const { strangerLed: last } = memory;
  return last?.name === name && last.host === host && last.port === port
    ? last
    : { name, host, port };
}

/**
 * Whose server is to be asked. An agent that has just begun in a cluster that nobody of ours has led yet has seen no
 * leader: then it is the server that its own standby is told to stream from.
 */
export function strangerToAsk(
  c: ClusterSnapshot,
  memory: HaMemory,
  upstream: string | undefined,
): StrangerServer | undefined {
  if (memory.strangerLed !== undefined) return memory.strangerLed;
  if (c.hold !== undefined || c.roster.value !== undefined) return undefined;
  const match = /^(.+):(\d+)$/.exec(upstream ?? "");
  if (match === null) return undefined;
  return { name: match[0], host: match[1] ?? "", port: Number(match[2]) };
}

/**
 * A stranger keeps no `hold`: its key is all there is, and ends with its lease or with an orderly hand-over. Who has seen
 * it lead, and sees the key gone, need not wait for anything else.
 */
export const strangerHasGone = (w: HaWorld): boolean =>
  w.memory.strangerLed !== undefined && clusterOf(w)?.leader === undefined;

/** The switchover that a person asked a stranger for, and that it has handed over for: its candidate goes first. */
export function strangersHeir(w: HaWorld): string | undefined {
  const intent = clusterOf(w)?.failover.value;
  return intent?.leader !== undefined && intent.leader === w.memory.strangerLed?.name
    ? intent.candidate
    : undefined;
}

/** No patience ends this: while that server takes writes, a second one must not. */
export function strangerWrites(w: HaWorld): Refusal | undefined {
  const { stranger, memory } = w;
  if (stranger?.kind !== "known" || !stranger.value) return undefined;
  const name = memory.strangerLed?.name ?? "the last leader";
  const detail = `the server of ${name} still takes writes`;
  return { because: "race_peer_is_primary", detail };
}
