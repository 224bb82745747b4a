// What may the REST API see of the node, and what may it ask for? It never acts by itself.

import type { RemoteView } from "../../controllers/ha/world.ts";
import type { IncidentSummary } from "../../incident/merged-incidents.ts";
import type { ClusterSnapshot, FailoverIntent } from "../../model/cluster.ts";
import type { DynamicConfig } from "../../model/config.ts";
import type { ErrorCode } from "../../model/error.ts";
import type { Known } from "../../model/known.ts";
import type { LagMoment } from "../../model/lag/moment.ts";
import type { LagReport } from "../../model/lag/report.ts";
import type { Lease } from "../../model/lease.ts";
import type { Member, PeerStatus } from "../../model/member.ts";
import type { PromiseAnswer, PromiseAsked } from "../../model/promise.ts";
import type { AnyReason } from "../../model/reason.ts";
import type { ScheduledRestart } from "../../model/restart.ts";
import type { LocalServer } from "../../model/server.ts";
import type { SlotReport } from "../../model/slot-report.ts";
import type { Instant, Ms } from "../../model/time.ts";
import type { WalLook } from "../../model/wal-report.ts";
import type { VaultJson } from "../../model/wire/vault.ts";
import type { RepopulateOutcome, RepopulateWish } from "../../node/node.ts";
import type { WriteOutcome } from "../../ports/dcs.ts";
import type { FenceStatus } from "../../ports/fence.ts";
import type { LogPart } from "../log-tail.ts";

/** What the node knew at its last look, taken from memory. Health checks are answered from it alone. */
export interface View {
  /** This member as it publishes itself, or would. */
  readonly member: Member;
  /** What it answers when another member asks for its position (R23). */
  readonly peer: PeerStatus;
  /** The last look at the server; undefined before the first one. */
  readonly server: { readonly seen: LocalServer; readonly at: Instant } | undefined;
  /** Its slots with what each is for. */
  readonly slots: readonly SlotReport[];
  /** Configured logical slots that this primary should have and has lost. */
  readonly lostSlots: readonly string[];
  /** The last snapshot that was read, however old. */
  readonly cluster: { readonly seen: ClusterSnapshot; readonly at: Instant } | undefined;
  /** Why the store could not be read at the last attempt; undefined when it could. */
  readonly storeTrouble: string | undefined;
  /** The configuration that the node obeys now. */
  readonly config: DynamicConfig;
  /** The other site as this leader of a standby cluster sees it. */
  readonly remote: RemoteView | undefined;
  readonly lease: Lease | undefined;
  /** Whether the other members stand in for the store. */
  readonly byPeers: boolean;
  readonly leaseRenewedAt: Instant | undefined;
  readonly fence: FenceStatus;
  readonly because: Because | undefined;
  readonly job: JobView | undefined;
  readonly loop: LoopView;
  /** How replication stands here, as it was last measured; undefined while the server has not answered. */
  readonly lag: LagReport | undefined;
  /** Troubles that go on or that nobody has looked at; undefined where none are kept. */
  readonly incidents?: IncidentSummary | undefined;
  /** WAL files, their disk, archiver and slots, at most half a minute old. */
  readonly wal: WalLook | undefined;
  /** What its vault worker said last; absent without a backup section. */
  readonly vault?: VaultJson;
  /** What the jobs that run by themselves do not do as they should. */
  readonly scheduleWarnings?: readonly string[];
}

/** The last decision's name, the numbers behind it, and since when it has been the same. */
export interface Because {
  readonly reason: AnyReason;
  readonly detail: string | undefined;
  readonly since: Instant;
}

export interface JobView {
  readonly name: string;
  readonly progress: string | undefined;
  readonly startedAt: Instant;
}

export interface LoopView {
  readonly lastTickAt: Instant | undefined;
  readonly lastTickMs: Ms | undefined;
  /** When the loop looks again at the latest; what liveness is measured by. */
  readonly nextTickAt: Instant | undefined;
  readonly eventLoopDelayMs: Ms | undefined;
}

/** One changed decision. */
export interface JournalEntry {
  readonly wallMs: number;
  readonly because: AnyReason;
  readonly detail: string | undefined;
  readonly step: string | undefined;
  readonly term: number | undefined;
}

/** How many lines at the most, or everything from where an earlier part ended. */
export type LogWish = { readonly lines: number } | { readonly since: number };

/** What a person asks of this node alone. What concerns the cluster goes through the store. */
export type NodeRequest =
  | { readonly kind: "restart"; readonly timeoutMs: Ms | undefined }
  | { readonly kind: "schedule-restart"; readonly planned: ScheduledRestart }
  | { readonly kind: "cancel-restart" }
  | { readonly kind: "reload" }
  | { readonly kind: "reinitialise"; readonly force: boolean; readonly fromLeader: boolean }
  | { readonly kind: "drop-slot"; readonly name: string }
  | { readonly kind: "detach" };

export type RequestOutcome =
  /** Carried out, or begun where it takes long. */
  | { readonly kind: "done" }
  | { readonly kind: "refused"; readonly why: string }
  | { readonly kind: "failed"; readonly code: ErrorCode; readonly why: string };

/** A look at this host as JSON; with `fix` what is safe is put right first. Throws NOT_POSSIBLE, TIMEOUT. */
export type Doctor = (wish: { readonly fix: boolean }) => Promise<string>;

export interface NodeView {
  view(): View;
  /** The same with a fresh look at the own server: a member that has to choose needs the position of this moment. */
  fresh(): Promise<View>;
  /** The newest changed decisions, newest last. */
  journal(limit: number): readonly JournalEntry[];
  /** The last `lines` of the agent's or the server's log, or what has come since an earlier part of it. */
  logs(source: "agent" | "server", what: LogWish): Promise<LogPart>;
  /** Lag of the standbys that this member feeds, oldest first. */
  lagHistory(sinceWallMs: number): Promise<readonly LagMoment[]>;
  /** Somebody looks at lag: it is measured more often for a while. */
  watchLag(): void;
  /** A fresh, linearizable look. Throws STORE_… */
  readCluster(timeoutMs: Ms): Promise<ClusterSnapshot>;
  askMember(apiUrl: string, timeoutMs: Ms): Promise<Known<PeerStatus>>;
  /** Both compare with the revision that was read (0: absent). Throw STORE_… */
  writeFailover(intent: FailoverIntent | undefined, revision: number): Promise<WriteOutcome>;
  writeConfig(json: string, revision: number): Promise<WriteOutcome>;
  /** R30: takes the record of a primary without a fence away, compared with the revision that was read. */
  clearUnguarded(revision: number): Promise<WriteOutcome>;
  /** Whether anything takes connections at this address of a server. Never throws. */
  serverAnswers(
    at: { readonly host: string; readonly port: number },
    limitMs: Ms,
  ): Promise<boolean>;
  /** Asks this member not to race, for a primary that cannot reach the store (R27). */
  promise(asked: PromiseAsked): Promise<PromiseAnswer>;
  /** Tells a store that has lost the cluster about it (R31). Throws STORE_… */
  repopulate(wish: RepopulateWish): Promise<RepopulateOutcome>;
  /** Puts the request into the next world and answers how it ended. Never throws. */
  request(request: NodeRequest): Promise<RequestOutcome>;
}
