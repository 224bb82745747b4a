// May this member tell a store that has lost the cluster about it, and what would it write? (R31)

import { branchesOf } from "../controllers/ha/plans/standing.ts";
import type { Self } from "../controllers/ha/world.ts";
import type { ClusterSnapshot } from "../model/cluster.ts";
import type { Known } from "../model/known.ts";
import type { PeerStatus } from "../model/member.ts";
import type { LocalServer } from "../model/server.ts";
import { isOurs, type StoreRecord } from "../model/store-record.ts";
import { type Branch, headOf, type Lineage } from "../model/timeline.ts";
import type { ClusterFacts } from "../ports/dcs.ts";

/** Everything that the judgement rests on; gathered when a person asks for it. */
export interface RepopulationFacts {
  readonly self: Pick<Self, "name" | "apiUrl" | "host" | "port">;
  /** What the store answers now, ours or not. */
  readonly store: ClusterSnapshot;
  /** What this member remembers of the store that was lost. */
  readonly record: StoreRecord | undefined;
  readonly configJson: string | undefined;
  readonly promisedTerm: number | undefined;
  readonly holdsLease: boolean;
  /** The term since which a pause lets this member's server run without a deadline (R30). */
  readonly unguardedSince: number | undefined;
  readonly server: LocalServer;
  /** The other members that could have led, and what each answered. */
  readonly peers: Readonly<Record<string, Known<PeerStatus>>>;
  /** Members that a person has named as gone for good. */
  readonly without: readonly string[];
  /** A new random text. */
  readonly id: string;
}

export type Repopulation =
  | { readonly kind: "refused"; readonly why: string; readonly next: string }
  | { readonly kind: "possible"; readonly facts: ClusterFacts };

const refused = (why: string, next: string): Repopulation => ({ kind: "refused", why, next });

/** Only the member that led last, and only into a store in which nobody leads and no other cluster lives. */
export function planRepopulation(f: RepopulationFacts): Repopulation {
  return storeObjection(f) ?? ownObjection(f) ?? peerObjection(f) ?? possible(f);
}

function storeObjection(f: RepopulationFacts) {
  const { store, record, server } = f;
  const { initialize, leader } = store;
  if (initialize.value !== undefined && isOurs(store, record))
    return refused("the store knows this cluster", "nothing has to be done");
  if (leader !== undefined && !isIdle(f, leader.name)) {
    const next = "wait until its lease has ended; if it goes on, this is a living cluster's store";
    return refused(`${leader.name} holds the leader key there`, next);
  }
  if (initialize.value !== undefined && initialize.value !== server.control?.systemId) {
    const next = "check etcd.hosts, namespace and scope in the node's file";
    return refused(`another cluster lives there: ${initialize.value}`, next);
  }
  return undefined;
}

/**
 * A restored store shows the leader of its time, whose agent keeps the lease alive that bears its own id: only the word
 * of that member can tell such a key from a living leader's.
 */
function isIdle({ self, peers }: RepopulationFacts, name: string): boolean {
  const answer = peers[name];
  return name === self.name || (answer?.kind === "known" && answer.value.role !== "primary");
}

function ownObjection(f: RepopulationFacts) {
  const { server, record, self } = f;
  if (server.directory !== "data" || server.control === undefined || server.lineage.length === 0)
    return refused("this member has no data of the cluster", "ask the member that led last");
  if (f.holdsLease) return refused("this member still leads", "wait until its lease has ended");
  if (record?.leader === undefined || f.configJson === undefined)
    return refused("this member remembers no store", "ask the member that led last");
  if (record.leader.name !== self.name)
    return refused(`${record.leader.name} led last`, `ask that member instead`);
  return undefined;
}

function peerObjection(f: RepopulationFacts) {
  const stranger = f.without.find((name) => f.peers[name] === undefined);
  if (stranger !== undefined)
    return refused(`${stranger} is not one of the other members`, "name members that are gone");
  for (const [name, answer] of Object.entries(f.peers)) {
    const isLeftOut = f.without.includes(name);
    if (answer.kind === "unknown") {
      if (isLeftOut) continue;
      const next = `start its agent, or say --without ${name} if it is gone for good`;
      return refused(`${name} does not answer, and could have led since`, next);
    }
    const peer = answer.value;
    if (isLeftOut) return refused(`${name} answers`, "leave out only who is gone for good");
    if (peer.role === "primary") return refused(`${name} runs as primary`, "ask that member");
    const why = moreThan(f.server, peer);
    if (why !== undefined) return refused(`${name} ${why}`, "ask that member instead");
  }
  return undefined;
}

/** A server that is down has at least what it sent to others: only a newer branch speaks against it. */
function moreThan(server: LocalServer, peer: PeerStatus): string | undefined {
  const mine = headOf(server.lineage)?.term ?? 0;
  const theirs = headOf(peer.lineage)?.term ?? 0;
  if (theirs > mine) return `is on a newer branch, of term ${theirs}`;
  const position = server.sql.kind === "known" ? server.sql.value.position : undefined;
  const isMore = theirs === mine && (peer.position ?? 0n) > (position ?? peer.position ?? 0n);
  return isMore ? "has more of the WAL" : undefined;
}

function possible(f: RepopulationFacts): Repopulation {
  const { self, server, unguardedSince: term } = f;
  const { name: member, host, port, apiUrl } = self;
  const systemId = server.control?.systemId ?? "";
  const succession = { id: f.id, systemId, termBase: highestTerm(f), by: member };
  return {
    kind: "possible",
    facts: {
      succession,
      branches: allBranches(server.lineage, branchesOf(f.store)),
      configJson: f.configJson ?? "{}",
      roster: { [member]: apiUrl },
      unguarded:
        term === undefined ? undefined : { member, term, sinceMs: undefined, host, port, apiUrl },
    },
  };
}

/** This member's own, and what the store still knows of others, where the numbers do not meet. */
function allBranches(own: Lineage, stored: Lineage): readonly Branch[] {
  const others = stored.filter((b) => !own.some((mine) => mine.timeline === b.timeline));
  return [...own, ...others].toSorted((a, b) => a.timeline - b.timeline);
}

/** No term that anybody may have heard of is higher. */
function highestTerm({ record, server, promisedTerm, peers, store }: RepopulationFacts): number {
  const answers = Object.values(peers).flatMap((p) => (p.kind === "known" ? [p.value] : []));
  const terms = [
    record?.branchTerm,
    record?.leader?.term,
    promisedTerm,
    store.hold?.term,
    store.succession.value?.termBase,
    ...[server.lineage, store.lineage.value, ...answers.map((p) => p.lineage)].map(
      (lineage) => headOf(lineage)?.term,
    ),
    ...answers.map((p) => p.promisedTerm),
  ];
  return Math.max(0, ...terms.filter((term) => term !== undefined));
}
