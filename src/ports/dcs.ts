// What may be read from and written to the cluster's keys, and under which compare?
//
// The only place that knows both the key layout (Patroni's names) and the rules of safety R5 to R8, R12, R13, R25.
// It stands on the Store port, so the simulator plays the very same transactions as the agent.

import type { AcquireBasis } from "../model/acquire-basis.ts";
import type {
  ClusterSnapshot,
  ClusterStatus,
  FailoverIntent,
  HistoryRow,
  Hold,
  Release,
  Roster,
} from "../model/cluster.ts";
import type { Member } from "../model/member.ts";
import type { RouterStatus } from "../model/route.ts";
import type { Succession } from "../model/succession.ts";
import type { SyncState } from "../model/sync.ts";
import type { Instant, Ms } from "../model/time.ts";
import type { Branch } from "../model/timeline.ts";
import type { Unguarded } from "../model/unguarded.ts";

export type AcquireOutcome =
  | { readonly kind: "won"; readonly term: number }
  /** A compare failed, somebody else was first, or our lease is gone. */
  | { readonly kind: "taken" }
  | { readonly kind: "unknown"; readonly why: string };

export type RenewOutcome =
  | { readonly kind: "renewed" }
  | { readonly kind: "lost"; readonly why: string }
  | { readonly kind: "unknown"; readonly why: string };

export type WriteOutcome = "written" | "refused";

export interface Holder {
  readonly name: string;
  readonly leaseId: string;
  readonly holdMs: Ms;
}

/** What a watch tells: enough to wake a loop and to date the holder's last sign of life (R7). */
export type DcsEvent =
  | {
      readonly kind: "hold";
      readonly revision: number;
      readonly released: boolean;
      readonly heir: string | undefined;
    }
  | { readonly kind: "leader"; readonly name: string | undefined }
  | { readonly kind: "config" | "failover" | "initialize" | "unguarded" | "other" }
  | { readonly kind: "member"; readonly name: string }
  | { readonly kind: "router"; readonly name: string }
  /** Events may have been missed: read everything again (R40). */
  | { readonly kind: "gap" };

/** What the store is told of a new cluster. */
export interface Beginning {
  readonly configJson: string;
  /** By which its data has come: more than the first where it was restored. */
  readonly branches: readonly Branch[];
}

/**
 * Every call fails with AppErrors STORE_… when the store can't be reached; refusals are values. Where an outcome
 * knows `unknown`, a failing store is that value too: look again before acting.
 */
export interface Dcs {
  snapshot(timeoutMs: Ms): Promise<ClusterSnapshot>;
  watch(onEvent: (event: DcsEvent) => void, signal: AbortSignal): void;

  /**
   * Makes sure that our lease exists and has its full length before it again. Answers the ttl in force: the one
   * asked for, or the one that the lease was once granted with. LEASE_LOST when it cannot be kept at all.
   */
  ensureLease(leaseId: string, ttlMs: Ms, timeoutMs: Ms): Promise<Ms>;
  acquire(basis: AcquireBasis, holder: Holder, timeoutMs: Ms): Promise<AcquireOutcome>;
  /** R6: keep-alive and transaction, both answered. `seq` is the new sequence number. */
  renew(term: number, holder: Holder, seq: number, timeoutMs: Ms): Promise<RenewOutcome>;
  /** R25: deletes the leader key and writes hold{released}, only if `term` is still ours. The lease lives on. */
  release(term: number, holder: Holder, release: Release, timeoutMs: Ms): Promise<RenewOutcome>;
  /** R8: removes the leader key of one of our silent holders, comparing term and the hold that stood still. */
  removeStaleLeader(term: number, hold: Hold, timeoutMs: Ms): Promise<WriteOutcome>;
  /** Keeps the lease of a member that doesn't lead alive (its member key hangs on it). */
  keepAlive(leaseId: string, timeoutMs: Ms): Promise<"alive" | "gone">;

  /** LEASE_LOST when the store no longer knows the lease. */
  publishMember(member: Member, leaseId: string, timeoutMs: Ms): Promise<void>;
  /** The key of a router, on its own lease. LEASE_LOST when the store no longer knows the lease. */
  publishRouter(status: RouterStatus, leaseId: string, timeoutMs: Ms): Promise<void>;
  /** Takes the key away if it still hangs on this lease. */
  withdrawRouter(name: string, leaseId: string, timeoutMs: Ms): Promise<WriteOutcome>;
  /** R41: claims the bootstrap with a leased key; answers false when another claim or a system id is there. */
  claimBootstrap(name: string, leaseId: string, timeoutMs: Ms): Promise<boolean>;
  /** R41: the system id and what a cluster begins with, comparing the claim; acquires nothing. */
  finishBootstrap(
    name: string,
    leaseId: string,
    systemId: string,
    beginning: Beginning,
    timeoutMs: Ms,
  ): Promise<WriteOutcome>;
  abandonBootstrap(name: string, leaseId: string, timeoutMs: Ms): Promise<void>;

  /** R13: each compares leader.createRevision = term, and the key's own revision where one is given. */
  reserveBranch(
    term: number,
    branches: readonly Branch[],
    revision: number,
    timeoutMs: Ms,
  ): Promise<WriteOutcome>;
  writeStatus(term: number, status: ClusterStatus, timeoutMs: Ms): Promise<WriteOutcome>;
  writeHistory(term: number, rows: readonly HistoryRow[], timeoutMs: Ms): Promise<WriteOutcome>;
  /** R28: who may race, compared with the revision of the list before; also as Patroni's tools read it. */
  writeRoster(term: number, roster: Roster, revision: number, timeoutMs: Ms): Promise<WriteOutcome>;

  /** Who may be elected; undefined takes the key away. Never before the names that it relies on are in force (R21). */
  writeSync(
    term: number,
    state: SyncState | undefined,
    revision: number,
    timeoutMs: Ms,
  ): Promise<WriteOutcome>;

  /** R30: written before the deadline is lifted, under the term of the server that it is about. */
  writeUnguarded(
    term: number,
    record: Unguarded,
    revision: number,
    timeoutMs: Ms,
  ): Promise<WriteOutcome>;
  /** By the member that it names, or on a person's word; compared with the revision that was read. */
  clearUnguarded(revision: number, timeoutMs: Ms): Promise<WriteOutcome>;

  /** Intents of people; compared with the revision they were decided on (0: absent). */
  writeFailover(
    intent: FailoverIntent | undefined,
    revision: number,
    timeoutMs: Ms,
  ): Promise<WriteOutcome>;
  writeConfig(json: string, revision: number, timeoutMs: Ms): Promise<WriteOutcome>;

  /**
   * R31: tells a store that has lost the cluster about it, and that it continues the old one. Refused when
   * somebody has written since `seen`, or another one leads than was seen: that one's key is taken away.
   */
  repopulate(seen: ClusterSnapshot, facts: ClusterFacts, timeoutMs: Ms): Promise<WriteOutcome>;
}

/** What only the member that led last can tell a store that knows nothing. */
export interface ClusterFacts {
  readonly succession: Succession;
  readonly branches: readonly Branch[];
  readonly configJson: string;
  /** Who may lead until a leader has listed the others: that member alone. */
  readonly roster: Roster;
  /** Where a pause lets its server run without a deadline, all the while (R30). */
  readonly unguarded: Unguarded | undefined;
}

/** When a hold (by revision) was first seen on this host's clock: the anchor of R7(b). */
export interface HoldSighting {
  readonly revision: number;
  readonly seenAt: Instant;
}
