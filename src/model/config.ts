// Which rules does the whole cluster follow at this moment? (the store's `config` key, as our code uses it)

import { holdMsFor } from "./lease.ts";
import { NO_PAUSE_NOTE, type PauseNote } from "./pause.ts";
import type { StandbyCluster } from "./site.ts";
import type { PermanentSlot, SlotPattern } from "./slot.ts";
import { type Ms, seconds } from "./time.ts";

/** The dynamic configuration, checked and complete. `raw` is the stored object, unknown keys included. */
export interface DynamicConfig {
  readonly ttlMs: Ms;
  readonly loopWaitMs: Ms;
  readonly retryTimeoutMs: Ms;
  /** A standby further behind than this never wins a race, in bytes. */
  readonly maximumLagOnFailover: number;
  readonly checkTimeline: boolean;
  /** `failover: ask`: nobody takes over from a dead leader before a person has said so. */
  readonly asksBeforeFailover: boolean;
  /** As stored: whether it holds now is `isPausedAt`, since a pause may end by itself. */
  readonly paused: boolean;
  readonly pauseNote: PauseNote;
  /** All members that could take over may stand in for a store that is away. */
  readonly failsafeMode: boolean;
  /** A primary that nobody has answered for so long acknowledges nothing any more; 0 for never (R33). */
  readonly isolationMs: Ms;
  readonly primaryStartTimeoutMs: Ms;
  readonly primaryStopTimeoutMs: Ms;
  readonly maxTimelinesHistory: number;
  /** How long the slot of a member that is away is kept. */
  readonly memberSlotsTtlMs: Ms;
  readonly permanentSlots: readonly PermanentSlot[];
  readonly ignoredSlots: readonly SlotPattern[];
  /** For whom a commit waits: nobody, each of the chosen standbys, or any `synchronousNodeCount` of all of them. */
  readonly synchronousMode: "off" | "on" | "quorum";
  /** With no standby left, commits wait for ever instead of being acknowledged by the primary alone. */
  readonly synchronousModeStrict: boolean;
  readonly synchronousNodeCount: number;
  /** A synchronous standby further behind the best one than this is replaced, in bytes; undefined: never. */
  readonly maximumLagOnSyncnode: number | undefined;
  readonly usePgRewind: boolean;
  readonly useSlots: boolean;
  /** The cluster follows another site as a whole: its leader is a standby too. */
  readonly standbyCluster: StandbyCluster | undefined;
  /** Server parameters that hold for every member, as text. */
  readonly parameters: Readonly<Record<string, string>>;
  /** `recovery_conf`: below the parameters. */
  readonly recoveryParameters: Readonly<Record<string, string>>;
  readonly pgHba: readonly string[];
  readonly pgIdent: readonly string[];
  readonly raw: Readonly<Record<string, unknown>>;
}

export const DEFAULT_CONFIG: DynamicConfig = {
  ttlMs: seconds(10),
  loopWaitMs: seconds(2),
  retryTimeoutMs: seconds(3),
  maximumLagOnFailover: 1_048_576,
  checkTimeline: true,
  asksBeforeFailover: false,
  paused: false,
  pauseNote: NO_PAUSE_NOTE,
  failsafeMode: true,
  isolationMs: seconds(3),
  primaryStartTimeoutMs: seconds(300),
  primaryStopTimeoutMs: 0,
  maxTimelinesHistory: 0,
  memberSlotsTtlMs: seconds(1800),
  permanentSlots: [],
  ignoredSlots: [],
  synchronousMode: "off",
  synchronousModeStrict: false,
  synchronousNodeCount: 1,
  maximumLagOnSyncnode: undefined,
  usePgRewind: true,
  useSlots: true,
  standbyCluster: undefined,
  parameters: {},
  recoveryParameters: {},
  pgHba: [],
  pgIdent: [],
  raw: {},
};

/** What an absent setting means while one of Patroni's agents takes part: the same for both kinds of agent (R35). */
const MIXED_DEFAULTS: DynamicConfig = {
  ...DEFAULT_CONFIG,
  ttlMs: seconds(30),
  loopWaitMs: seconds(10),
  retryTimeoutMs: seconds(10),
  checkTimeline: false,
  failsafeMode: false,
  usePgRewind: false,
};

/** `allOurs` is false while one of Patroni's agents takes part. */
export const defaultsFor = (allOurs: boolean | undefined): DynamicConfig =>
  allOurs === false ? MIXED_DEFAULTS : DEFAULT_CONFIG;

export const isSynchronous = (config: DynamicConfig): boolean => config.synchronousMode !== "off";

export const holdMsOf = (config: DynamicConfig): Ms => holdMsFor(config.ttlMs);
