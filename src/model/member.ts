// What does one member publish about itself, and what does it answer when asked directly?
import type { Address } from "./address.ts";
import type { Lsn } from "./lsn.ts";
import type { ScheduledRestart } from "./restart.ts";
import type { PendingRestart } from "./server.ts";
import { DEFAULT_TAGS, type Tags } from "./settings.ts";
import type { Lineage } from "./timeline.ts";

/** A standby leader holds the lease of a cluster that follows another site. */
export type MemberRole = "primary" | "standby" | "standby leader" | "demoted" | "uninitialized";

/** Wire texts of a member's state; the numbers of Patroni's metric are in model/wire. */
export type MemberState =
  | "initializing"
  | "bootstrap failed"
  | "cloning"
  | "starting"
  | "running"
  | "restarting"
  | "stopping"
  | "stopped"
  | "start failed"
  | "crashed"
  | "unknown";

/** Where nobody has named another one. */
export const USUAL_DATABASE = "postgres";

/** One member as the store shows it. */
export interface Member {
  readonly name: string;
  /** host:port of its server, as others reach it. */
  readonly host: string;
  readonly port: number;
  /** Told with the address in the store; the usual one where none is. */
  readonly database?: string;
  /** A pooler in front of its server. */
  readonly proxyAddress?: Address;
  readonly apiUrl: string;
  readonly state: MemberState;
  readonly role: MemberRole;
  readonly version: string;
  readonly tags: Tags;
  readonly timeline: number | undefined;
  readonly position: Lsn | undefined;
  readonly receivedLsn: Lsn | undefined;
  readonly replayedLsn: Lsn | undefined;
  readonly replicationState: string | undefined;
  readonly pendingRestart: readonly PendingRestart[];
  readonly scheduledRestart: ScheduledRestart | undefined;
  readonly paused: boolean;
  /** Present when the member is one of ours: it keeps `hold` and a fence (R35). */
  readonly ours:
    | {
        readonly agent: string;
        readonly hold: boolean;
        readonly fence: boolean;
        /** It does not race while the store names a primary that runs without a deadline (R30). */
        readonly heedsPause: boolean;
      }
    | undefined;
  /** The revision of the switchover for which this leader asks the routers to pause their clients. */
  readonly handingOver?: number;
  /** Why the member is doing what it does now: a reason code of ours, for people. */
  readonly because: string | undefined;
}

/** Neither silence nor a fence of its own ends this member's leadership for sure: an agent of Patroni's (R35). */
export const isStranger = ({ ours }: Member): boolean =>
  ours === undefined || !ours.hold || !ours.fence;

/** A member's answer to a direct question: the base of every choice of a candidate. */
export interface PeerStatus {
  readonly name: string;
  readonly role: MemberRole;
  readonly state: MemberState;
  /** Usable as a position by R23: lineage, exhausted and flushed are already judged by the member itself. */
  readonly position: Lsn | undefined;
  readonly timeline: number | undefined;
  readonly lineage: Lineage;
  readonly tags: Tags;
  /** What speaks against this member as a leader, in its own words: a full disk, no watchdog where one must be. */
  readonly unfit: string | undefined;
  readonly watchdogFailed: boolean;
  /** It streams from nobody, and from no leader of an older term than this again: its position is final (R22). */
  readonly promisedTerm: number | undefined;
}

/** A member that has published nothing but its name and address yet. */
export const bareMember = (name: string, host: string, port: number, apiUrl: string): Member => ({
  name,
  host,
  port,
  apiUrl,
  state: "unknown",
  role: "uninitialized",
  version: "",
  tags: DEFAULT_TAGS,
  timeline: undefined,
  position: undefined,
  receivedLsn: undefined,
  replayedLsn: undefined,
  replicationState: undefined,
  pendingRestart: [],
  scheduledRestart: undefined,
  paused: false,
  ours: undefined,
  because: undefined,
});
