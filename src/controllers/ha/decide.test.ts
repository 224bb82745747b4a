// Does the ladder answer in every world, with every reason it knows?
import { describe, expect, it } from "vitest";
import { letGo, recorded } from "../../../test/support/pause-world.ts";
import { askedFor, BUSY, routed, wished } from "../../../test/support/routed-world.ts";
import {
  following as followingSite,
  leadingSite,
  notStreaming,
  remoteSays,
  remoteSilent,
} from "../../../test/support/site-world.ts";
import { slot } from "../../../test/support/slot.ts";
import { electedBy, waitingFor } from "../../../test/support/sync-world.ts";
import {
  accepting,
  anotherStore,
  asked,
  askedToReinitialise,
  askedToRestart,
  asPrimary,
  BRANCH_3,
  bootstrapping,
  branches,
  byPeers,
  claimed,
  cluster,
  config,
  crashed,
  END,
  emptyStore,
  failed,
  fenceDead,
  following,
  foreignSystem,
  given,
  heldBy,
  holdSilentFor,
  intent,
  jobOf,
  justWon,
  LINEAGE,
  leaderless,
  leading,
  ledByN2,
  listed,
  memberIs,
  NOW,
  noData,
  orphaned,
  outcome,
  paused,
  peerSays,
  peerSilent,
  promised,
  published,
  released,
  remembering,
  server,
  silentSql,
  sql,
  stoppedAt,
  stray,
  TERM,
  tagged,
  unarmed,
  unborn,
  unread,
  WALL_MS,
  watchdogIs,
  withLease,
  withoutHold,
  withoutLeader,
  withoutLease,
} from "../../../test/support/world.ts";
import { type Lsn, lsn } from "../../model/lsn.ts";
import { REASONS, type Reason } from "../../model/reason.ts";
import type { WalSender } from "../../model/server.ts";
import { after } from "../../model/time.ts";
import { decide } from "./decide.ts";
import type { HaWorld } from "./world.ts";

/** Nobody has answered for three seconds. */
const heardByNobody = (w: HaWorld): HaWorld => ({
  ...w,
  lease: { ...w.lease, renewedAt: after(NOW, -3_000) },
  contact: { heardAt: undefined, everybodySilent: true },
});

/** Reasons that only others give, and who they are: none so far. */
const FROM_OTHERS = {} as const satisfies Partial<Record<Reason, string>>;

const PROMOTE = {
  kind: "promote",
  term: 200,
  branch: BRANCH_3,
  timeoutMs: 300_000,
} as const;
const STOP = { kind: "stop", timeoutMs: 1_000, heirApiUrl: undefined } as const;
const heirN2 = { result: { kind: "end", lsn: END }, agoMs: 0 };
const initialised = outcome("initialise", { agoMs: 2_000 });

const LOGICAL_SLOT = slot("cdc", {
  kind: "logical",
  logical: { database: "shop", plugin: "pgoutput", confirmedLsn: END },
});
/** The slot is configured, and the leader has it. */
const withLogicalSlot = (w: HaWorld): HaWorld =>
  given(
    w,
    config({
      permanentSlots: [
        { name: "cdc", logical: { database: "shop", plugin: "pgoutput" }, only: undefined },
      ],
    }),
    cluster((c) => ({
      status: {
        ...c.status,
        value: { ...c.status.value, slots: { ...c.status.value.slots, cdc: END } },
      },
    })),
  );

const staying: Partial<Record<Reason, HaWorld>> = {
  stopping_server: given(following(), asked({ stopping: "stop" })),
  handing_over_before_stop: given(
    leading(),
    asked({ stopping: "stop" }),
    stoppedAt(END),
    peerSays("n2"),
  ),
  stopped: given(following(), asked({ stopping: "stop" }), crashed),
  detached: given(leading(), asked({ stopping: "detach" })),
  job_running: given(leading(), jobOf(STOP)),
  job_cancelled_lease_lost: given(justWon(), withoutLease, jobOf(PROMOTE)),
  promotion_too_slow: given(justWon(), jobOf(PROMOTE, { agoMs: 300_000 })),
  store_unread_following: given(following(), unread),
  store_unread_lease_valid: given(leading(), unread),
  store_unread_demoting: given(leading(), withLease(TERM, 600), unread),
  store_unread_waiting: given(following(), unread, crashed),
  store_changed: given(following(), anotherStore),
  foreign_data: given(following(), noData("foreign")),
  foreign_system_id: given(following(), foreignSystem),
  store_empty: given(following(), crashed, emptyStore, withoutHold, heldBy("n3", 300)),
  adopting: given(leading(), withoutLease),
  lease_gone: given(leading(), heldBy("n2", 200)),
  paused: given(following(), paused),
  pause_letting_go: given(leading(), paused),
  pause_taking_key: given(leading(), paused, recorded("n1"), letGo, withoutLeader, withoutLease),
  pause_ending: given(leading(), recorded("n1"), letGo),
  leading: given(leading()),
  lead_reserving_timeline: given(justWon()),
  lead_promoting: given(justWon(), branches(...LINEAGE, BRANCH_3)),
  lead_arming: given(justWon(), unarmed),
  lead_dropping_copies: given(justWon(), withLogicalSlot, sql({ slots: [LOGICAL_SLOT] })),
  lead_not_eligible: given(justWon(), fenceDead),
  lead_wrong_timeline: given(leading(), sql({ timeline: 7 })),
  lead_waiting_for_server: given(leading(), silentSql),
  lead_restarting: given(leading(), askedToRestart),
  switchover_refused: given(leading(), intent({ leader: "n1" })),
  switchover_scheduled: given(
    leading(),
    intent({ leader: "n1", scheduledAt: "soon", scheduledAtMs: WALL_MS + 60_000 }),
  ),
  switchover_waiting_for_routers: given(leading(), wished, routed(undefined)),
  switchover_blocked: given(leading(), wished, routed(BUSY), askedFor(100)),
  switchover_stopping: given(leading(), intent({ leader: "n1" }), peerSays("n2")),
  switchover_handing_over: given(
    leading(),
    intent({ leader: "n1", candidate: "n2" }),
    peerSays("n2"),
    stoppedAt(END),
  ),
  switchover_abandoned: given(
    leading(),
    intent({ leader: "n1", candidate: "n2" }),
    peerSilent("n2"),
    stoppedAt(END),
    remembering({ downSince: after(NOW, -3_000) }),
  ),
};

const synchronous = config({ synchronousMode: "on" });
const senderOf = (name: string, flushLsn: Lsn): WalSender => ({
  name,
  state: "streaming",
  sentLsn: flushLsn,
  writeLsn: flushLsn,
  flushLsn,
  replayLsn: flushLsn,
  syncState: "sync",
  syncPriority: 1,
  clientAddress: "10.0.0.2",
  user: "replicator",
});

const moving: Partial<Record<Reason, HaWorld>> = {
  bootstrap_racing: given(unborn()),
  bootstrap_initialising: given(unborn(), claimed),
  bootstrap_finishing: given(
    unborn(),
    asPrimary,
    claimed,
    bootstrapping,
    initialised,
    heldBy("n2", 5),
    withLease(5),
  ),
  bootstrap_waiting: given(unborn(), tagged({ nofailover: true })),
  clone_waiting: given(following(), noData("empty"), memberIs("n1", { role: "standby" })),
  cloning: given(following(), noData("empty")),
  fencing_orphans: given(leading(), orphaned),
  stray_server: given(following(), stray),
  crash_examining: given(leading(), crashed, peerSays("n2")),
  crash_handing_over: given(
    leading(),
    crashed,
    peerSays("n2"),
    remembering({ downSince: after(NOW, -10) }),
    outcome("find-crash-end", heirN2),
  ),
  crash_restarting: given(leading(), crashed, peerSilent("n2")),
  crash_giving_up: given(
    leading(),
    stoppedAt(END),
    peerSays("n2", { position: lsn(0x4ffff00) }),
    remembering({ crashes: [after(NOW, -5_000)] }),
  ),
  crash_stepping_down: given(
    leading(),
    peerSays("n2"),
    remembering({ crashes: [after(NOW, -50_000), after(NOW, -10_000)] }),
  ),
  lead_server_reset: given(
    leading(),
    remembering({ life: { pid: 42, sharedSince: "an hour ago" } }),
  ),
  lead_disk_full: given(
    leading(),
    peerSays("n2"),
    server({ diskFreeBytes: 4_096 }),
    remembering({ diskFullSince: after(NOW, -3_000) }),
  ),
  lead_without_watchdog: given(leading(), watchdogIs("failed")),
  race_no_watchdog: given(leaderless(), watchdogIs("absent")),
  sync_changing: given(leading(), synchronous),
  sync_waiting: given(leading(), synchronous, electedBy("n1"), waitingFor({ kind: "closed" })),
  sync_catching_up: given(
    leading(),
    synchronous,
    electedBy("n1"),
    waitingFor({ kind: "first", count: 1, members: ["n2"] }),
    sql({ senders: [senderOf("n2", lsn(END - 1n))], sharedSinceText: "this run" }),
    remembering({ gate: { run: "this run", end: END } }),
  ),
  lead_counting_votes: given(
    justWon(),
    electedBy("n1", ["n2", "n3"], 1),
    outcome("acquire", { result: undefined }),
    peerSays("n3"),
  ),
  follow_revoking: given(
    following(),
    memberIs("n1", { role: "standby" }),
    electedBy("n3", ["n1", "n2"], 1),
  ),
  race_not_synchronous: given(leaderless(), electedBy("n1", ["n3"])),
  race_no_quorum: given(leaderless(), electedBy("n1", ["n2", "n3"], 1), peerSilent("n3")),
  site_following: leadingSite(),
  site_parting: leadingSite(
    config({ standbyCluster: undefined }),
    remembering({ siteFollowed: "far.example:5432" }),
  ),
  site_demoting: given(leading(), followingSite(), remoteSays()),
  site_unreachable: leadingSite(remoteSilent, notStreaming),
  site_foreign: leadingSite(remoteSays({ systemId: "1" }), notStreaming),
  site_slot_missing: leadingSite(remoteSays({ hasSlot: false }), notStreaming),
  starting_standby: given(following(), crashed),
  rejoin_rewinding: given(leading(), withoutLease, unarmed, ledByN2, crashed),
  rejoin_cloning: given(
    leading(),
    withoutLease,
    unarmed,
    ledByN2,
    crashed,
    remembering({ divergedFrom: 200, rewindFailedFor: 200 }),
  ),
  redoing_marked: given(following(), noData("marked")),
  server_hung: given(following(), accepting("hung")),
  start_backoff: given(following(), crashed, failed("start-standby", "PG_START_FAILED")),
  slots_copying: given(following(), withLogicalSlot),
  following: given(following()),
  follow_demoting: given(leading(), withoutLease, unarmed, ledByN2),
  follow_repointing: given(following(), sql({ upstream: undefined })),
  follow_waiting: given(following(), silentSql),
  standby_restarting: given(following(), askedToRestart),
  reinitialising: given(following(), askedToReinitialise),
  race_waiting_for_hold: given(leaderless(), holdSilentFor(8_000)),
  race_promised_to_peer: given(leaderless(), promised()),
  isolated_closing_gate: given(leading(), unread, heardByNobody),
  isolated_gate_closed: given(
    leading(),
    unread,
    heardByNobody,
    server({ syncNames: { kind: "closed" } }),
    outcome("close-gate", { agoMs: 10, result: { kind: "closed" } }),
  ),
  isolated_opening_gate: given(leading(), server({ syncNames: { kind: "closed" } })),
  lead_taking_key_anew: given(leading(), byPeers, withoutLeader),
  store_unread_peers_promised: given(leading(), byPeers, unread),
  race_waiting_for_armed: given(leaderless(), recorded("n1")),
  race_waiting_for_heir: given(leaderless(), released({ heir: "n3", minLsn: END }, { ago: 1_000 })),
  race_removing_stale_leader: given(following(), holdSilentFor(9_000)),
  race_acquiring: given(leaderless()),
  race_asking: given(leaderless(), config({ asksBeforeFailover: true })),
  race_not_allowed: given(leaderless(), tagged({ nofailover: true })),
  race_not_listed: given(leaderless(), listed("n1", "n3")),
  race_unhealthy: given(leaderless(), silentSql),
  race_behind: given(leaderless(), peerSays("n3", { position: lsn(0x5000100) })),
  race_too_far_behind: given(leaderless(), published(lsn(0x6000000))),
  race_wrong_lineage: given(leaderless(), server({ lineage: [...LINEAGE, BRANCH_3] })),
  race_peer_is_primary: given(leaderless(), peerSays("n3", { role: "primary" })),
  race_waiting_for_candidate: given(leaderless(), intent({ candidate: "n3" })),
  race_standing_back: given(leaderless(), remembering({ standBackUntil: after(NOW, 1) })),
  demoting_without_lease: given(leaderless(), asPrimary),
};

const reached = { ...staying, ...moving };

describe("the ladder", () => {
  it.each(Object.entries(reached))("answers %s", (reason, world) => {
    expect(decide(world).because).toBe(reason);
  });

  it("reaches every reason that is not somebody else's", () => {
    const wanted = Object.keys(REASONS).filter((reason) => !(reason in FROM_OTHERS));
    const found = new Set(Object.values(reached).map((world) => decide(world).because));
    expect(wanted.filter((reason) => !found.has(reason as Reason))).toEqual([]);
  });
});
