// What is an incident? One trouble of the cluster as a whole, told so that a person can act on it and learn from it.

/** `switchover` is planned: an operation, told in the same form. */
export type IncidentKind =
  | "failover"
  | "switchover"
  | "election-refused"
  | "crash-loop"
  | "crash"
  | "fencing"
  | "store-outage"
  | "standby-crash";

export type Lane = "store" | "old primary" | "new primary" | "standbys" | "routers" | "clients";

/** One line of the story. */
export interface Line {
  readonly at: number;
  readonly node: string;
  readonly lane: Lane;
  readonly text: string;
}

export type PhaseName = "detect" | "fence" | "elect" | "promote" | "route" | "catch up";

/** From when to when, in milliseconds since 1970; without an end it is not over, or nobody who saw it answers. */
export interface Phase {
  readonly name: PhaseName;
  readonly from: number;
  readonly to: number | undefined;
  readonly what: string;
}

export type CauseCode =
  | "planned"
  | "game_day"
  | "out_of_memory"
  | "disk_full"
  | "postmaster_killed"
  | "server_failed"
  | "backend_crashed"
  | "server_hung"
  | "host_lost"
  | "host_rebooted"
  | "processes_killed"
  | "agent_stalled"
  | "cut_off_from_store"
  | "isolated"
  | "store_down"
  | "unknown";

/** The most probable cause, with what was seen for it. */
export interface Cause {
  readonly code: CauseCode;
  /** `certain`: a process saw it with its own eyes. `likely`: nothing else explains what was seen. */
  readonly confidence: "certain" | "likely" | "unknown";
  readonly sentence: string;
  readonly evidence: readonly string[];
}

export interface Loss {
  /** Bytes of WAL that the new primary never had; undefined when nobody can say yet. */
  readonly bytes: number | undefined;
  /** The end of the old primary's WAL was read from its disk, or it stopped cleanly. */
  readonly isExact: boolean;
  readonly acknowledged: "no" | "possible" | "unknown";
  readonly sentence: string;
}

/** A step of the failover checklist: what the engineer on call would otherwise do by hand. */
export interface Check {
  readonly what: string;
  readonly state: "done" | "open" | "failed" | "n/a";
  readonly at: number | undefined;
  readonly how: string;
}

export interface Acknowledgement {
  readonly by: string;
  readonly note: string | undefined;
  readonly at: number;
}

/** Somebody wanted it so: it is no alarm, and it spends the planned part of the budget. */
export const isOnPurpose = ({
  kind,
  cause,
}: {
  readonly kind: IncidentKind;
  readonly cause: Pick<Cause, "code">;
}): boolean => kind === "switchover" || cause.code === "game_day";

export interface Incident {
  /** `I-20261105-130709`: when it began, in UTC. It stays what it was when more becomes known. */
  readonly id: string;
  readonly kind: IncidentKind;
  readonly title: string;
  readonly startedAt: number;
  /** When a primary took writes again; undefined while none does. */
  readonly writableAt: number | undefined;
  /** When the last trouble of it was over; undefined while it goes on. */
  readonly endedAt: number | undefined;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly term: number | undefined;
  readonly phases: readonly Phase[];
  /** Of each candidate, why it was chosen or not. */
  readonly candidates: readonly string[];
  readonly cause: Cause;
  /** Undefined where the primary stayed the same. */
  readonly loss: Loss | undefined;
  readonly checklist: readonly Check[];
  readonly followUps: readonly string[];
  /** Nodes whose own part is missing here. */
  readonly missing: readonly string[];
  /** What must be known to read it rightly: parts that are missing, clocks that were corrected. */
  readonly caveats: readonly string[];
  readonly lines: readonly Line[];
  readonly acknowledged: Acknowledgement | undefined;
}
