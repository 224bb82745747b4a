// Every story, in the order in which a reader meets them.
import type { Scenario } from "../src/scenario/scenario.ts";
import { agentAndFenceKilled } from "./agent-and-fence-killed.ts";
import { agentAwayInAPromotion } from "./agent-away-in-a-promotion.ts";
import { agentDiesWhileClientsWait } from "./agent-dies-while-clients-wait.ts";
import { agentKilledAndBack } from "./agent-killed-and-back.ts";
import { agentKilledForGood } from "./agent-killed-for-good.ts";
import { agentSleepsThroughAReturn } from "./agent-sleeps-through-a-return.ts";
import { agentStallsBeforeARequest } from "./agent-stalls-before-a-request.ts";
import { agentStopped } from "./agent-stopped.ts";
import { aloneClosesTheGate } from "./alone-closes-the-gate.ts";
import { askedForNothing } from "./asked-for-nothing.ts";
import { backendCrashes } from "./backend-crashes.ts";
import { backendsKeepCrashing } from "./backends-keep-crashing.ts";
import { bothCrashTimelineNumber } from "./both-crash-timeline-number.ts";
import { cancelledWaits } from "./cancelled-waits.ts";
import { cascadeSurvives } from "./cascade-survives.ts";
import { cleanStopWithHeir } from "./clean-stop-with-heir.ts";
import { dataOfAnotherCluster } from "./data-of-another-cluster.ts";
import { detachAndBack } from "./detach-and-back.ts";
import { diskAlmostFull } from "./disk-almost-full.ts";
import { diskFull } from "./disk-full.ts";
import { failoverAsks } from "./failover-asks.ts";
import { failoverByHand } from "./failover-by-hand.ts";
import { fenceKilled } from "./fence-killed.ts";
import { fenceStopped } from "./fence-stopped.ts";
import { fencedPrimaryParts } from "./fenced-primary-parts.ts";
import { foreignData } from "./foreign-data.ts";
import { frozenServer } from "./frozen-server.ts";
import { gateOpensAgain } from "./gate-opens-again.ts";
import { heirDiesAtHandOver } from "./heir-dies-at-hand-over.ts";
import { hostDies } from "./host-dies.ts";
import { hostDiesFast } from "./host-dies-fast.ts";
import { hostDiesWithStoreLeader } from "./host-dies-with-store-leader.ts";
import { hostSuspended } from "./host-suspended.ts";
import { keyEndsWhilePeersPromise } from "./key-ends-while-peers-promise.ts";
import { keyErasedInAPromotion } from "./key-erased-in-a-promotion.ts";
import { laggingStandbyCrashRestart } from "./lagging-standby-crash-restart.ts";
import { lateAcquireIsJudgedAgain } from "./late-acquire-is-judged-again.ts";
import { lateAcquireLands } from "./late-acquire-lands.ts";
import { lateReader } from "./late-reader.ts";
import { leaderDiesWhileClientsWait } from "./leader-dies-while-clients-wait.ts";
import { leaseRevoked } from "./lease-revoked.ts";
import { logicalCopyTooYoung } from "./logical-copy-too-young.ts";
import { logicalSlotSurvives } from "./logical-slot-survives.ts";
import { lostAnswers } from "./lost-answers.ts";
import { lostSlotIsNotAskedFor } from "./lost-slot-is-not-asked-for.ts";
import { memberAwayForLong } from "./member-away-for-long.ts";
import { memberAwayIsNotListed } from "./member-away-is-not-listed.ts";
import { memberBackWhileStoreAway } from "./member-back-while-store-away.ts";
import { orphanBackendCommits } from "./orphan-backend-commits.ts";
import { otherStoreAnswers } from "./other-store-answers.ts";
import { ownCommandRefuses } from "./own-command-refuses.ts";
import { pauseEndsBeforeTheStart } from "./pause-ends-before-the-start.ts";
import { pauseEndsByItself } from "./pause-ends-by-itself.ts";
import { pauseEndsWithItsPrimaryDead } from "./pause-ends-with-its-primary-dead.ts";
import { pauseEndsWithoutItsAgent } from "./pause-ends-without-its-agent.ts";
import { pausedAgentAway } from "./paused-agent-away.ts";
import { pausedCopiedAnew } from "./paused-copied-anew.ts";
import { pausedCrash } from "./paused-crash.ts";
import { pausedStoreAway } from "./paused-store-away.ts";
import { pausedSwitchover } from "./paused-switchover.ts";
import { primaryCutForLong } from "./primary-cut-for-long.ts";
import { primaryCutFromStore } from "./primary-cut-from-store.ts";
import { primaryDiesAfterPromotion } from "./primary-dies-after-promotion.ts";
import { primaryIsolated } from "./primary-isolated.ts";
import { primaryKilled } from "./primary-killed.ts";
import { quorumHostDies } from "./quorum-host-dies.ts";
import { quorumPrimaryUnguarded } from "./quorum-primary-unguarded.ts";
import { quorumWithoutVotes } from "./quorum-without-votes.ts";
import { reinitialiseStandby } from "./reinitialise-standby.ts";
import { requiredWatchdogFails } from "./required-watchdog-fails.ts";
import { restartOfEverything } from "./restart-of-everything.ts";
import { restartOnRequest } from "./restart-on-request.ts";
import { routerDiesInASwitchover } from "./router-dies-in-a-switchover.ts";
import { routerDiesWhileClientsWait } from "./router-dies-while-clients-wait.ts";
import { routerFollowsFailover } from "./router-follows-failover.ts";
import { routerWithoutAStore } from "./router-without-a-store.ts";
import { secondPrimarySleeps } from "./second-primary-sleeps.ts";
import { serverRefusesEverybody } from "./server-refuses-everybody.ts";
import { siteAway } from "./site-away.ts";
import { siteDemoted } from "./site-demoted.ts";
import { siteFailsOver } from "./site-fails-over.ts";
import { siteLeaderDies } from "./site-leader-dies.ts";
import { siteNotUsable } from "./site-not-usable.ts";
import { sitePromoted } from "./site-promoted.ts";
import { sitePromotedAgain } from "./site-promoted-again.ts";
import { siteSwitchover } from "./site-switchover.ts";
import { siteTakenBackAtOnce } from "./site-taken-back-at-once.ts";
import { slowPromotions } from "./slow-promotions.ts";
import { standbyRestart } from "./standby-restart.ts";
import { stoppedPostmaster } from "./stopped-postmaster.ts";
import { storeAwayAfterPromotion } from "./store-away-after-promotion.ts";
import { storeAwayAndAStandbyDies } from "./store-away-and-a-standby-dies.ts";
import { storeAwayPeersPromise } from "./store-away-peers-promise.ts";
import { storeDownAndBack } from "./store-down-and-back.ts";
import { storeLeaderDies } from "./store-leader-dies.ts";
import { storeLostForGood } from "./store-lost-for-good.ts";
import { storeOutOfSpace } from "./store-out-of-space.ts";
import { strangerFrozen } from "./stranger-frozen.ts";
import { strangerHandsOver } from "./stranger-hands-over.ts";
import { strangerInARewind } from "./stranger-in-a-rewind.ts";
import { strangerStartsServer } from "./stranger-starts-server.ts";
import { strictWithoutStandby } from "./strict-without-standby.ts";
import { switchover } from "./switchover.ts";
import { switchoverAfterSwitchover } from "./switchover-after-switchover.ts";
import { switchoverAnswerIsLate } from "./switchover-answer-is-late.ts";
import { switchoverBehindARouter } from "./switchover-behind-a-router.ts";
import { switchoverBlockedByAClient } from "./switchover-blocked-by-a-client.ts";
import { switchoverCandidateDies } from "./switchover-candidate-dies.ts";
import { switchoverOvertakenByDeath } from "./switchover-overtaken-by-death.ts";
import { switchoverScheduled } from "./switchover-scheduled.ts";
import { switchoverUnderACut } from "./switchover-under-a-cut.ts";
import { switchoverWhileClientsWait } from "./switchover-while-clients-wait.ts";
import { switchoversInARow } from "./switchovers-in-a-row.ts";
import { syncHostDies } from "./sync-host-dies.ts";
import { syncStandbyDies } from "./sync-standby-dies.ts";

export const STORIES: readonly Scenario[] = [
  primaryDiesAfterPromotion,
  primaryKilled,
  hostDies,
  hostDiesFast,
  hostDiesWithStoreLeader,
  slowPromotions,
  primaryCutFromStore,
  primaryIsolated,
  aloneClosesTheGate,
  gateOpensAgain,
  agentDiesWhileClientsWait,
  agentKilledAndBack,
  agentKilledForGood,
  agentStopped,
  fencedPrimaryParts,
  agentStallsBeforeARequest,
  fenceKilled,
  fenceStopped,
  strangerFrozen,
  strangerHandsOver,
  agentAndFenceKilled,
  storeDownAndBack,
  storeAwayPeersPromise,
  keyEndsWhilePeersPromise,
  storeAwayAfterPromotion,
  storeAwayAndAStandbyDies,
  storeLeaderDies,
  storeOutOfSpace,
  leaseRevoked,
  lostAnswers,
  laggingStandbyCrashRestart,
  switchover,
  switchoverAfterSwitchover,
  switchoverWhileClientsWait,
  switchoversInARow,
  switchoverAnswerIsLate,
  switchoverCandidateDies,
  switchoverUnderACut,
  switchoverOvertakenByDeath,
  failoverByHand,
  failoverAsks,
  askedForNothing,
  bothCrashTimelineNumber,
  lateAcquireLands,
  lateAcquireIsJudgedAgain,
  memberAwayIsNotListed,
  restartOfEverything,
  orphanBackendCommits,
  stoppedPostmaster,
  frozenServer,
  serverRefusesEverybody,
  backendCrashes,
  backendsKeepCrashing,
  cleanStopWithHeir,
  heirDiesAtHandOver,
  detachAndBack,
  diskFull,
  diskAlmostFull,
  requiredWatchdogFails,
  hostSuspended,
  strangerStartsServer,
  strangerInARewind,
  pausedCrash,
  pausedCopiedAnew,
  pauseEndsBeforeTheStart,
  pauseEndsByItself,
  pausedAgentAway,
  pausedStoreAway,
  pausedSwitchover,
  pauseEndsWithoutItsAgent,
  pauseEndsWithItsPrimaryDead,
  ownCommandRefuses,
  restartOnRequest,
  reinitialiseStandby,
  otherStoreAnswers,
  switchoverScheduled,
  standbyRestart,
  foreignData,
  dataOfAnotherCluster,
  memberAwayForLong,
  memberBackWhileStoreAway,
  agentSleepsThroughAReturn,
  storeLostForGood,
  primaryCutForLong,
  cascadeSurvives,
  logicalSlotSurvives,
  logicalCopyTooYoung,
  lateReader,
  secondPrimarySleeps,
  lostSlotIsNotAskedFor,
  syncHostDies,
  syncStandbyDies,
  strictWithoutStandby,
  cancelledWaits,
  quorumHostDies,
  quorumPrimaryUnguarded,
  quorumWithoutVotes,
  agentAwayInAPromotion,
  keyErasedInAPromotion,
  routerFollowsFailover,
  leaderDiesWhileClientsWait,
  routerWithoutAStore,
  switchoverBehindARouter,
  switchoverBlockedByAClient,
  routerDiesInASwitchover,
  routerDiesWhileClientsWait,
  siteLeaderDies,
  siteSwitchover,
  siteTakenBackAtOnce,
  siteFailsOver,
  siteAway,
  siteNotUsable,
  sitePromoted,
  siteDemoted,
  sitePromotedAgain,
];
