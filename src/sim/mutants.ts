// Planted bugs: each must be caught by a checker, else the checker proves nothing.
//
// A mutant is a lie of one port to the real node, or a flaw of a simulated part. `hunts` names the faults under
// which it shows; the hunt plays storms of them until a checker speaks.
import type { Mutant } from "./mutant.ts";
import { armsLate, forgetsFirstArm, trustsAnyWatchdog } from "./mutants-fence.ts";
import {
  armsBeforeConfirmed,
  keepsNoLeaseAfterRelease,
  ownsByName,
  renewsUnasked,
  sharesInstants,
} from "./mutants-lease.ts";
import { recordsNothing, resumesUnarmed, seesNoRecord } from "./mutants-pause.ts";
import {
  forgetsPromises,
  promisesTooShortly,
  takesSilenceForNo,
  takesSilenceForPromise,
  takesStoppingForRunning,
} from "./mutants-peers.ts";
import {
  followsWithoutEnd,
  forgetsMarker,
  hasNoLimits,
  leavesOrphans,
  leavesRecordBehind,
  neverMorePatient,
  saysDownTooEarly,
  seesNoFullDisk,
  seesNoReset,
  seesNoWalFiles,
  takesErrorsForLife,
  takesReservedForDone,
  trustsTimelines,
} from "./mutants-postgres.ts";
import { ROUTER_MUTANTS } from "./mutants-router.ts";
import { SITE_MUTANTS } from "./mutants-site.ts";
import { SLOT_MUTANTS } from "./mutants-slots.ts";
import {
  anchorsAtAnswer,
  asksNobody,
  asksNobodyAfterWinning,
  forgetsWhoIsComing,
  ignoresTheList,
  releasesToAnyone,
  seesNoSilence,
  trustsAbsence,
  trustsAnyStore,
  trustsStaleWatch,
  unknownIsNo,
  writesWithoutTerm,
} from "./mutants-store.ts";
import { SYNC_MUTANTS } from "./mutants-sync.ts";

/** With the fault's primary cut from the store alone, so that the others are free to take over. */
const FAILSAFE = { ttl: 10, loop_wait: 1, failsafe_mode: true };

export const MUTANTS: readonly Mutant[] = [
  ...SLOT_MUTANTS,
  {
    name: "margin-zero",
    flaws: { wrapPorts: armsLate },
    breaks: ["S1"],
    hunts: ["stopAgent", "killAgent", "stallAgent"],
    config: { ttl: 5, loop_wait: 1 },
    quick: true,
  },
  {
    name: "record-left-behind",
    flaws: { wrapPorts: leavesRecordBehind },
    breaks: ["S3"],
    story: "store-away-after-promotion",
  },
  {
    name: "wal-not-looked-at",
    flaws: { wrapPorts: seesNoWalFiles },
    breaks: ["L1"],
    story: "primary-dies-after-promotion",
  },
  {
    name: "lease-kept-by-its-beat-alone",
    flaws: { wrapPorts: keepsNoLeaseAfterRelease },
    breaks: ["L1"],
    story: "switchovers-in-a-row",
  },
  {
    name: "promote-before-arm",
    flaws: { wrapPorts: forgetsFirstArm },
    breaks: ["S5"],
    hunts: ["killHost", "switchover", "killAgent"],
  },
  {
    name: "unknown-taken-for-no",
    flaws: { wrapPorts: unknownIsNo },
    breaks: ["S6", "S11"],
    story: "lost-answers",
  },
  {
    name: "silence-taken-for-no",
    flaws: { wrapPorts: takesSilenceForNo },
    breaks: ["S11"],
    story: "switchover-answer-is-late",
  },
  {
    name: "release-before-down",
    flaws: { wrapPorts: saysDownTooEarly },
    breaks: ["S1", "S3"],
    hunts: ["switchover", "stopCleanly"],
  },
  {
    name: "timeline-not-checked",
    flaws: { wrapPorts: trustsTimelines },
    breaks: ["S3", "S7", "L2"],
    hunts: ["isolate", "killHost", "cutFromPeers"],
  },
  {
    name: "stale-watch-trusted",
    flaws: { wrapPorts: trustsStaleWatch },
    breaks: ["S1"],
    hunts: ["applyLate", "loseAnswers", "watchLag", "cutFromStore", "storeLeaderPause"],
  },
  {
    name: "fence-forgets-on-adopt",
    flaws: { fence: { forgetsOnAdopt: true } },
    breaks: ["S1", "S5"],
    hunts: ["crashLoopAgent"],
  },
  {
    name: "fence-parts-without-a-word",
    flaws: { fence: { partsWithoutAWord: true } },
    breaks: ["S3"],
    story: "fenced-primary-parts",
  },
  {
    name: "orphans-left",
    flaws: { wrapPorts: leavesOrphans },
    breaks: ["S1", "S3"],
    faults: [
      { atMs: 30_000, verb: { do: "longBackends", node: "primary", count: 3 } },
      { atMs: 31_000, verb: { do: "killPostmaster", node: "primary" } },
    ],
  },
  {
    name: "group-kill-only",
    flaws: { fence: { groupKillOnly: true } },
    breaks: ["S1", "S3"],
    faults: [
      { atMs: 30_000, verb: { do: "longBackends", node: "primary", count: 3 } },
      { atMs: 31_000, forMs: 60_000, verb: { do: "stopAgent", node: "primary" } },
      // A postmaster that hears would have ended its backends when the fence asked for the stop.
      { atMs: 31_000, forMs: 60_000, verb: { do: "hangServer", node: "primary" } },
    ],
    config: { ttl: 5, loop_wait: 1 },
    quick: true,
  },
  {
    name: "rival-trusts-absence",
    flaws: { wrapPorts: trustsAbsence },
    breaks: ["S1"],
    hunts: ["revokeLease", "cutFromStore"],
  },
  {
    name: "anchor-at-answer",
    flaws: { wrapPorts: anchorsAtAnswer },
    breaks: ["S1"],
    faults: [
      {
        atMs: 30_000,
        forMs: 200_000,
        verb: { do: "slowStore", node: "primary", delayMs: 2_700, askShare: 0 },
      },
      { atMs: 60_000, forMs: 200_000, verb: { do: "killAgent", node: "primary" } },
    ],
    config: { ttl: 30, loop_wait: 1, retry_timeout: 10 },
    quick: true,
  },
  {
    name: "reserved-taken-for-done",
    flaws: { wrapPorts: takesReservedForDone },
    breaks: ["S1", "S4"],
    story: "agent-away-in-a-promotion",
  },
  {
    name: "no-timeline-reservation",
    flaws: { postgres: { noTimelineReservation: true } },
    breaks: ["S4", "S7"],
    hunts: ["killHost", "isolate"],
  },
  {
    name: "no-recheck-after-winning",
    flaws: { wrapPorts: asksNobodyAfterWinning },
    breaks: ["S3", "S4"],
    story: "late-acquire-is-judged-again",
  },
  {
    name: "resets-not-counted",
    flaws: { wrapPorts: seesNoReset },
    breaks: ["L1"],
    story: "backends-keep-crashing",
  },
  {
    name: "errors-taken-for-life",
    flaws: { wrapPorts: takesErrorsForLife },
    breaks: ["L1"],
    story: "server-refuses-everybody",
  },
  {
    name: "never-more-patient",
    flaws: { wrapPorts: neverMorePatient },
    breaks: ["L1"],
    story: "slow-promotions",
  },
  {
    name: "full-disk-not-seen",
    flaws: { wrapPorts: seesNoFullDisk },
    breaks: ["L1"],
    story: "disk-almost-full",
  },
  {
    name: "any-watchdog-trusted",
    flaws: { wrapPorts: trustsAnyWatchdog },
    breaks: ["S14"],
    story: "required-watchdog-fails",
  },
  {
    name: "last-leader-not-waited-for",
    flaws: { wrapPorts: forgetsWhoIsComing },
    breaks: ["S3"],
    story: "pause-ends-before-the-start",
  },
  {
    name: "stopping-taken-for-running",
    flaws: { wrapPorts: takesStoppingForRunning },
    breaks: ["L1"],
    story: "stranger-hands-over",
  },
  {
    name: "nobody-asked",
    flaws: { wrapPorts: asksNobody },
    breaks: ["S15"],
    story: "failover-asks",
  },
  {
    name: "promise-outlives-its-time",
    flaws: { wrapPorts: promisesTooShortly },
    breaks: ["S1"],
    faults: [
      { atMs: 30_000, forMs: 100_000, verb: { do: "cutFromStore", node: "primary" } },
      { atMs: 60_000, forMs: 60_000, verb: { do: "cutFromPeers", node: "primary" } },
    ],
    config: FAILSAFE,
    quick: true,
    nodes: 3,
  },
  {
    name: "promise-of-one-missing",
    flaws: { wrapPorts: takesSilenceForPromise },
    breaks: ["S1"],
    faults: [
      { atMs: 30_000, forMs: 100_000, verb: { do: "cutFromStore", node: "primary" } },
      { atMs: 30_000, forMs: 100_000, verb: { do: "cutOneWay", from: "primary", to: "other" } },
    ],
    config: FAILSAFE,
    quick: true,
    nodes: 3,
  },
  {
    name: "promise-not-kept",
    flaws: { wrapPorts: forgetsPromises },
    breaks: ["S1"],
    faults: [{ atMs: 30_000, forMs: 100_000, verb: { do: "cutFromStore", node: "primary" } }],
    config: FAILSAFE,
    quick: true,
    nodes: 3,
  },
  {
    name: "disarmed-before-recorded",
    flaws: { wrapPorts: recordsNothing },
    breaks: ["S18"],
    story: "paused-agent-away",
  },
  {
    name: "raced-before-armed",
    flaws: { wrapPorts: seesNoRecord },
    breaks: ["S1", "S18"],
    story: "pause-ends-without-its-agent",
  },
  {
    name: "resumed-without-arming",
    flaws: { wrapPorts: resumesUnarmed },
    breaks: ["S18"],
    story: "paused-agent-away",
  },
  {
    name: "list-not-compared",
    flaws: { wrapPorts: ignoresTheList },
    breaks: ["S3"],
    story: "member-away-is-not-listed",
  },
  {
    name: "release-to-anyone",
    flaws: { wrapPorts: releasesToAnyone },
    breaks: ["S3"],
    story: "heir-dies-at-hand-over",
  },
  {
    name: "renew-without-vouch",
    flaws: { wrapPorts: renewsUnasked },
    breaks: ["T4"],
    hunts: ["hangServer", "stopServer", "killFence", "stopFence", "slowDisk"],
  },
  {
    name: "leader-write-without-compare",
    flaws: { wrapPorts: writesWithoutTerm },
    breaks: ["S10"],
    hunts: ["applyLate", "stallAgent", "cutFromStore", "switchover"],
  },
  {
    name: "two-agents-of-one-name",
    flaws: { wrapPorts: ownsByName },
    breaks: ["S1"],
    hunts: ["killAgent", "cutFromClients"],
    twin: true,
  },
  {
    name: "clone-in-place",
    flaws: { postgres: { clonesInPlace: true } },
    breaks: ["S8"],
    hunts: ["reinit", "isolate", "killHost"],
  },
  {
    name: "any-store-trusted",
    // The lineage would stop it too: the check of timelines is away as well.
    flaws: {
      wrapPorts: (ports, host, cluster) => trustsTimelines(trustsAnyStore(ports), host, cluster),
    },
    breaks: ["S12"],
    faults: [
      { atMs: 60_000, forMs: 30_000, verb: { do: "killHost", node: "primary" } },
      { atMs: 200_000, forMs: 80_000, verb: { do: "olderStore" } },
      ...["n1", "n2", "n3"].map(
        (node) => ({ atMs: 203_000, forMs: 500, verb: { do: "killAgent", node } }) as const,
      ),
    ],
  },
  {
    name: "marker-forgotten",
    flaws: { wrapPorts: forgetsMarker, postgres: { startsHalfRebuilt: true } },
    breaks: ["S13"],
    hunts: ["reinit", "crashLoopAgent", "killAgent", "killHost"],
  },
  {
    name: "silence-never-counts",
    flaws: { wrapPorts: seesNoSilence },
    breaks: ["L1"],
    hunts: ["killHost", "killAgent"],
  },
  {
    name: "follows-without-end",
    flaws: { wrapPorts: followsWithoutEnd },
    breaks: ["L3"],
    story: "switchover",
  },
  {
    name: "instants-cross",
    flaws: { wrapPorts: sharesInstants },
    breaks: ["T1"],
    hunts: ["killHost"],
  },
  {
    name: "armed-before-confirmed",
    flaws: { wrapPorts: armsBeforeConfirmed },
    breaks: ["T3"],
    hunts: ["loseAnswers", "cutFromStore"],
  },
  {
    name: "waits-for-ever",
    flaws: { wrapPorts: hasNoLimits },
    breaks: ["T5"],
    hunts: ["switchover", "killPostmaster"],
  },
  ...SYNC_MUTANTS,
  ...ROUTER_MUTANTS,
  ...SITE_MUTANTS,
];

export const mutantNamed = (name: string): Mutant | undefined =>
  MUTANTS.find((m) => m.name === name);
