// Why is a member doing what it is doing? One name, used by the log, REST, metrics, docs and tests.

import { ROUTE_REASONS, type RouteReason } from "./route-reason.ts";

/** Every reason of the ha room with its sentence. */
export const REASONS = {
  // halt
  stopping_server: "the agent is stopping: PostgreSQL is being shut down first",
  handing_over_before_stop: "the agent is stopping: the leadership goes to the named heir",
  stopped: "the agent has stopped PostgreSQL and may leave",
  detached: "the agent leaves and PostgreSQL keeps running under the fence",
  // job
  job_running: "a long step is running",
  job_cancelled_lease_lost: "a long step was cancelled because the lease is gone",
  promotion_too_slow: "the promotion took longer than allowed and is given up",
  // ignorance
  store_unread_following: "the store cannot be read: the standby keeps following",
  store_unread_lease_valid: "the store cannot be read: the lease is still valid",
  store_unread_peers_promised:
    "the store cannot be read: every member that could take over promises not to, so this one goes on",
  isolated_closing_gate:
    "neither the store nor any member answers: no write is acknowledged any more until one does",
  isolated_gate_closed:
    "neither the store nor any member answers: writes wait, and PostgreSQL stops when the lease ends",
  isolated_opening_gate: "somebody answers again: the writes that waited go on",
  store_unread_demoting:
    "the store cannot be read and the lease is about to run out: PostgreSQL is stopped cleanly",
  store_unread_waiting:
    "the store cannot be read: at most a standby is started, nothing is promoted",
  store_changed: "this is another store or an older state of it: nothing is started or promoted",
  // identity
  foreign_data: "the data directory is not empty and not PostgreSQL's",
  foreign_system_id: "the data directory belongs to another cluster",
  store_empty: "the store knows no cluster although this member has data: nothing is initialised",
  adopting:
    "the lease, the store and the fence agree that this member leads: taking over where the agent left off",
  lead_taking_key_anew:
    "the store is back and the leader key has ended meanwhile: taking it again, the server runs on",
  lease_gone: "the lease is no longer ours",
  // pause
  paused: "the cluster is paused: nothing is started, stopped or promoted",
  pause_letting_go: "the cluster is paused: the primary is let run without a deadline of the fence",
  pause_taking_key:
    "the leader key ended during the pause: taking it again, the server runs on all the while",
  pause_ending: "the fence guards the primary again, and the store is told so",
  // bootstrap
  bootstrap_racing: "no cluster exists yet: claiming the right to initialise it",
  bootstrap_initialising: "this member initialises the cluster",
  bootstrap_finishing: "the new server runs: recording the system identifier",
  bootstrap_waiting: "another member initialises the cluster",
  clone_waiting: "no member can serve a clone yet",
  cloning: "the data directory is being cloned",
  // recover
  fencing_orphans: "processes of a dead server remain: they are ended first",
  stray_server: "a server that Understudy did not start runs on the data directory",
  crash_examining: "the server died: finding out whether a standby has every byte",
  crash_handing_over: "the server died and a standby has every byte: it takes over",
  crash_restarting: "the server died: restarting it in place",
  crash_stepping_down: "the server crashes again and again: a standby takes over",
  crash_giving_up: "the server cannot be restarted in time: giving up the leadership",
  starting_standby: "starting the server as a standby",
  rejoin_rewinding: "the data has diverged: rewinding it",
  rejoin_cloning: "the data has diverged and cannot be rewound: cloning it again",
  redoing_marked: "a rebuild was interrupted: doing it again",
  server_hung: "the server accepts nobody: it is ended",
  start_backoff: "the server failed to start: waiting before the next attempt",
  // lead
  leading: "this member is the primary and holds the lease",
  lead_reserving_timeline: "the next timeline is being reserved before the promotion",
  lead_promoting: "this member is being promoted",
  lead_dropping_copies:
    "copies of logical slots that are not safe to read from are dropped before the promotion",
  lead_arming: "the fence is being armed before the promotion",
  lead_not_eligible: "the lease was won but this member must not lead: giving it back",
  lead_wrong_timeline: "the server is on another timeline than the reserved one: it is stopped",
  lead_waiting_for_server: "this member holds the lease and waits for its server to answer",
  lead_server_reset: "a backend crashed and the server reset itself: counted as a restart",
  lead_disk_full: "the disk of the primary is full: a standby takes over",
  lead_without_watchdog:
    "a watchdog is required and this primary's cannot be armed: it must not go on leading",
  lead_counting_votes:
    "the lease was won: voters stop receiving and report, before this member is promoted",
  sync_changing: "the set of synchronous standbys is being changed",
  sync_waiting: "no commit is acknowledged until a synchronous standby is there",
  sync_catching_up: "a chosen standby receives what was acknowledged before it is relied on",
  lead_restarting: "the primary is being restarted on request",
  switchover_refused: "the switchover asked for is not possible",
  switchover_scheduled: "a switchover is scheduled",
  switchover_waiting_for_routers: "switchover: routers pause their clients first",
  switchover_blocked:
    "switchover given up: clients hold transactions open, and routers could not pause them in time",
  switchover_stopping: "switchover: writes are being stopped",
  switchover_handing_over: "switchover: the candidate has the last byte and takes over",
  switchover_abandoned: "switchover: the candidate fell out, this member goes on as primary",
  // lead a cluster that follows another site
  site_following: "this member leads a standby cluster and receives from the other site",
  site_parting: "this site becomes independent: nothing more is received from the other one",
  site_demoting: "this cluster shall follow another site: the primary is being stopped",
  site_unreachable: "the other site cannot be reached: what is here stays as it is until it can",
  site_foreign: "the other site is another database system: nothing is received from it",
  site_slot_missing: "the slot that shall keep WAL for this site does not exist at the other one",
  // follow
  following: "this member follows the leader",
  follow_demoting: "another member leads: this server must stop being a primary",
  follow_repointing: "this member is being pointed at the leader",
  slots_copying: "the standby is restarted with copies of the leader's logical slots",
  follow_revoking: "another member needs this one's vote: receiving is stopped, and it reports",
  follow_waiting: "the leader is not ready to be followed yet",
  standby_restarting: "the standby is being restarted on request",
  reinitialising: "the data directory is being rebuilt on request",
  // race
  race_waiting_for_hold: "nobody leads: waiting until the last holder surely stopped",
  race_promised_to_peer:
    "nobody leads in the store: this member promised the primary not to race while it cannot be reached",
  race_waiting_for_armed:
    "nobody leads: a primary that a pause let run without its fence has not said that it is armed",
  race_waiting_for_heir: "nobody leads: the named heir goes first",
  race_removing_stale_leader: "the holder has been silent for too long: removing its key",
  race_acquiring: "nobody leads and this member is the best candidate: acquiring the lease",
  race_asking: "nobody leads: this member could, and waits for a person to say so",
  race_not_allowed: "nobody leads: this member must not lead",
  race_not_listed:
    "nobody leads: this member was away when the last leader listed who may follow it, and does not race",
  race_unhealthy: "nobody leads: this member's server is not fit to lead",
  race_no_watchdog: "nobody leads: a watchdog is required and this member's cannot be armed",
  race_behind: "nobody leads: another member has more of the WAL",
  race_too_far_behind: "nobody leads: this member misses more than allowed",
  race_not_synchronous: "nobody leads: this member was not synchronous and may lack commits",
  race_no_quorum: "nobody leads: too few voters answer to know that no commit is missing",
  race_wrong_lineage: "nobody leads: this member is on another branch of history",
  race_peer_is_primary: "nobody leads: another member runs as primary",
  race_waiting_for_candidate: "nobody leads: the candidate that was asked for goes first",
  race_standing_back: "nobody leads: this member stands back after a failed attempt",
  demoting_without_lease: "the server is a primary without a lease: it is stopped",
} as const satisfies Record<string, string>;

export type Reason = keyof typeof REASONS;

/** The reasons of every room. */
export const ALL_REASONS = { ...REASONS, ...ROUTE_REASONS } as const;
export type AnyReason = Reason | RouteReason;

/** The sentence behind a reason. */
export const sentence = (reason: AnyReason): string => ALL_REASONS[reason];
