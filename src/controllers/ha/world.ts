// What does the ha room know when it decides? Plain data: time, ignorance and memory are fields of it.

import type { Address } from "../../model/address.ts";
import type { ClusterSnapshot, Release, Roster } from "../../model/cluster.ts";
import type { DynamicConfig } from "../../model/config.ts";
import type { Known } from "../../model/known.ts";
import type { Lsn } from "../../model/lsn.ts";
import type { PeerStatus } from "../../model/member.ts";
import type { GivenPromise } from "../../model/promise.ts";
import type { ScheduledRestart } from "../../model/restart.ts";
import type { LocalServer } from "../../model/server.ts";
import type { Tags, WatchdogSettings } from "../../model/settings.ts";
import type { RemoteSite } from "../../model/site.ts";
import type { Instant } from "../../model/time.ts";
import type { Lineage } from "../../model/timeline.ts";
import type { HoldSighting } from "../../ports/dcs.ts";
import type { FenceStatus } from "../../ports/fence.ts";
import type { LeaseView } from "../../ports/lease.ts";
import type { ServerPlan } from "../../ports/postgres.ts";
import type { Job, Outcomes } from "../controller.ts";
import type { HaStep } from "./steps.ts";

/** Who I am: constant while the agent runs. */
export interface Self {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Told with the address in the store, where it is not the usual one. */
  readonly database?: string;
  /** Of a pooler in front of the server; others may read it in the store. */
  readonly proxyAddress?: Address;
  readonly apiUrl: string;
  readonly tags: Tags;
  readonly watchdog: WatchdogSettings["mode"];
  readonly agentVersion: string;
  readonly startedAt: Instant;
}

/** What a person asked of this one node; kept until the world shows that it is done. */
export interface Requests {
  readonly restart: { readonly at: Instant } | undefined;
  /** Becomes a restart when its time comes; unlike the other wishes it outlives the agent. */
  readonly scheduledRestart: ScheduledRestart | undefined;
  readonly reinitialise:
    | {
        readonly at: Instant;
        /** From the leader, even if a standby is there to be copied from. */
        readonly fromLeader?: boolean;
        /** A long step that runs already is given up for it. */
        readonly cancelsRunning?: boolean;
      }
    | undefined;
  /** A slot to be dropped here, whoever made it: its name was typed. */
  readonly dropSlot: { readonly at: Instant; readonly name: string } | undefined;
  /** The node's file was read again: the server reads what lies beside it again too, certificates among them. */
  readonly reload?: { readonly at: Instant } | undefined;
  readonly stopping: "stop" | "detach" | undefined;
}

/** The list of who may race, with what is needed to know it without the store (R28). */
export interface RosterMemory {
  /** As the store last showed it, and at which revision. */
  readonly confirmed: Roster | undefined;
  readonly revision: number;
  /** Everybody in lists that were sent upon this revision: they may still land. */
  readonly sent: Roster;
  /** This life of the agent has written the list once, so nothing of an earlier life can land any more. */
  readonly isOwn: boolean;
  /** Another store has answered since ours last did (R31). */
  readonly isStrange: boolean;
  /** Listed members without a key of their own, and since when. */
  readonly absentSince: Readonly<Record<string, Instant>>;
}

const EMPTY_ROSTER: RosterMemory = {
  confirmed: undefined,
  revision: 0,
  sent: {},
  isOwn: false,
  isStrange: false,
  absentSince: {},
};

/** What the next world must remember; every field is explained by the rung that writes it. */
export interface HaMemory {
  /** In-place restarts, start attempts and resets of a primary, newest last; a life as a standby forgets them (R46). */
  readonly crashes: readonly Instant[];
  /** No race before this: a failed promotion or a lease given back (R37). */
  readonly standBackUntil: Instant | undefined;
  /** How many promotions of this member were given up for being too slow since the last that was not (R37). */
  readonly slowPromotions: number;
  /** Since when the disk of the data has been full. */
  readonly diskFullSince: Instant | undefined;
  /** The data diverged from the leader of this term and must be rebuilt. */
  readonly divergedFrom: number | undefined;
  /** pg_rewind failed against the leader of this term: clone instead. */
  readonly rewindFailedFor: number | undefined;
  /** Since when the server has been refusing to start, and how often. */
  readonly startFailures: number;
  readonly startFailedAt: Instant | undefined;
  /** Latest step whose outcome has been digested into the fields above, by kind; kinds that teach nothing are left out. */
  readonly digested: Readonly<Record<string, Instant>>;
  /** Since when the server has been down, as this node saw it: outcomes from before belong to another death. */
  readonly downSince: Instant | undefined;
  /** Since when the running server has answered none of our questions. */
  readonly silentSince: Instant | undefined;
  /** Which server answered last, and since when its processes shared their memory: another text is a reset (R46). */
  readonly life: { readonly pid: number; readonly sharedSince: string } | undefined;
  /** Since when nobody has been leading, as this node saw it with permission to race. */
  readonly racingSince: Instant | undefined;
  /** From where the standby was last told to stream, and the history of the leader it finds there (R19). */
  readonly told: { readonly from: string; readonly lineage: Lineage } | undefined;
  /** Whether the standby that was started last was told to follow nobody; undefined when another life started it. */
  readonly startedAlone: boolean | undefined;
  /** What the release asked for upon which this member tried to acquire; kept until it is a primary. */
  readonly inherited: Release | undefined;
  /** Why this member was chosen and the others were not, when it last tried to acquire; for the history. */
  readonly chosen: string | undefined;
  /** When the store or a rival last answered one of this holder's looks (R33). */
  readonly heardAt: Instant | undefined;
  /** The switchover that waits for standbys to settle, then for the routers that are asked about it, and since when. */
  readonly handover: { readonly revision: number; readonly since: Instant } | undefined;
  /** Who may race, as far as this node knows (R28). */
  readonly roster: RosterMemory;
  /** The last proof of a closed gate (R20): on which run of the server, and where the WAL ended then. */
  readonly gate: { readonly run: string; readonly end: Lsn } | undefined;
  /** Since when no standby has been fit to be synchronous, as this primary saw it. */
  readonly syncAloneSince: Instant | undefined;
  /** Since when the store has had no `hold` at all, as this node saw it. */
  readonly holdGoneSince: Instant | undefined;
  /** When this node looked last: whoever came and went in a long sleep was not away for all of it. */
  readonly lookedAt: Instant | undefined;
  /** The server of the agent that led last, if that was none of ours (R35). */
  readonly strangerLed: StrangerServer | undefined;
  /** By slot: since when nobody has needed it, where an absence that a leader published counts as well. */
  readonly unneededSince: Readonly<Record<string, Instant>>;
  /** By slot: since when nobody has been reading from it. */
  readonly idleSince: Readonly<Record<string, Instant>>;
  /** Copies of logical slots on this standby, by name: what is known of the leader of that term. */
  readonly copies: Readonly<Record<string, SlotCopyFacts>>;
  /** The term of the leader that was last ready to be followed. */
  readonly followedTerm: number | undefined;
  /** The server of the other site, as host:port, that this cluster follows or was the last to follow. */
  readonly siteFollowed: string | undefined;
  /** Since when a standby below another one has not been fed, or the one above it has not. */
  readonly unfedSince: Instant | undefined;
  /** The standby above did not feed us: until then the leader does. */
  readonly cascadeAvoidUntil: Instant | undefined;
}

/** From when on the leader has kept catalog rows for us, and whether the copy needs none from before. */
export interface SlotCopyFacts {
  readonly term: number;
  readonly floor: number | undefined;
  readonly isSafe: boolean;
}

export const EMPTY_MEMORY: HaMemory = {
  crashes: [],
  standBackUntil: undefined,
  slowPromotions: 0,
  diskFullSince: undefined,
  divergedFrom: undefined,
  rewindFailedFor: undefined,
  startFailures: 0,
  startFailedAt: undefined,
  digested: {},
  downSince: undefined,
  silentSince: undefined,
  life: undefined,
  racingSince: undefined,
  told: undefined,
  startedAlone: undefined,
  inherited: undefined,
  chosen: undefined,
  heardAt: undefined,
  handover: undefined,
  roster: EMPTY_ROSTER,
  gate: undefined,
  syncAloneSince: undefined,
  holdGoneSince: undefined,
  lookedAt: undefined,
  strangerLed: undefined,
  unneededSince: {},
  idleSince: {},
  copies: {},
  followedTerm: undefined,
  siteFollowed: undefined,
  unfedSince: undefined,
  cascadeAvoidUntil: undefined,
};

/** Who answered a holder in one look (R33). */
export interface Contact {
  readonly heardAt: Instant | undefined;
  /** The store and every rival were asked for long enough, and nobody answered. */
  readonly everybodySilent: boolean;
}

/** What is seen of the site that this cluster follows. */
export interface RemoteView {
  readonly seen: Known<RemoteSite>;
  /** The last look that was answered. */
  readonly last: { readonly site: RemoteSite; readonly at: Instant } | undefined;
}

/** Where an agent that is none of ours ran its server as the primary. */
export interface StrangerServer {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export interface HaWorld {
  readonly now: Instant;
  /** Wall clock, for schedules, the end of a pause and history rows only. */
  readonly wallMs: number;
  readonly self: Self;
  readonly store: Known<ClusterSnapshot>;
  /** The store that answered is not the one we knew, or is an older state of it (R31). */
  readonly storeChanged: boolean;
  readonly contact: Contact;
  /** The last good configuration, whether the store can be read now or not (R44); a pause that is over is none. */
  readonly config: DynamicConfig;
  readonly server: LocalServer;
  readonly plan: ServerPlan;
  readonly lease: LeaseView;
  /** What this member has promised to a primary that cannot reach the store (R27). */
  readonly promised: GivenPromise | undefined;
  readonly fence: FenceStatus;
  readonly holdSeen: HoldSighting | undefined;
  /** Answers of the other members by name; asked only when a choice among them may be due. */
  readonly peers: Readonly<Record<string, Known<PeerStatus>>>;
  /** The other site; looked at only by whoever leads a cluster that follows it, or is about to make one. */
  readonly remote: RemoteView | undefined;
  /** Whether the server of a stranger that led last takes writes; asked while nobody leads, and before a promotion (R35). */
  readonly stranger: Known<boolean> | undefined;
  readonly job: Job<HaStep> | undefined;
  readonly outcomes: Outcomes;
  readonly requests: Requests;
  /** This member has promised not to stream from a leader of an older term than this (R22). */
  readonly promisedTerm: number | undefined;
  /** This member began to initialise the cluster and has not finished. */
  readonly bootstrapping: boolean;
  /** This agent holds the bootstrap claim since it started. */
  readonly claimed: boolean;
  readonly memory: HaMemory;
}
