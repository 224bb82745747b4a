// What is seen of replication on one server at one moment? Raw figures, measured on this host alone.
import type { Lsn } from "../lsn.ts";
import type { Instant, Ms } from "../time.ts";

/** One process of the server, as the kernel and the server show it. */
export interface ProcessSample {
  readonly pid: number;
  /** The server's words for what it waits for, `IO/WALSync`; empty while it works. */
  readonly waits: string;
  /** The kernel's letter; undefined where the process cannot be looked at. */
  readonly state: string | undefined;
  /** Time on a processor since it began, and time that it wanted one and got none. */
  readonly cpuMs: Ms | undefined;
  readonly starvedMs: Ms | undefined;
}

/** One standby, or another reader of the stream, as the server that sends to it sees it. */
export interface SenderSample {
  readonly name: string;
  readonly address: string;
  readonly state: string;
  readonly syncState: string;
  readonly sent: Lsn | undefined;
  readonly write: Lsn | undefined;
  readonly flush: Lsn | undefined;
  readonly replay: Lsn | undefined;
  /** PostgreSQL's own figures; undefined when nothing was sent lately. */
  readonly writeLagMs: Ms | undefined;
  readonly flushLagMs: Ms | undefined;
  readonly replayLagMs: Ms | undefined;
  /** How long ago it last answered. */
  readonly replyAgeMs: Ms | undefined;
  readonly process: ProcessSample;
  /** Bytes that this host's kernel holds because the other side has not taken them. */
  readonly sendQueueBytes: number | undefined;
}

/** A query on a standby that may keep replay waiting. */
export interface QuerySample {
  readonly pid: number;
  readonly user: string;
  readonly application: string;
  readonly ageMs: Ms;
  /** It holds the very lock that replay waits for. */
  readonly blocks: boolean;
}

export interface ReceiverSample {
  readonly status: string;
  readonly slot: string;
  readonly upstream: string;
  readonly written: Lsn | undefined;
  readonly flushed: Lsn | undefined;
  /** The end of WAL that the sender named last. */
  readonly latestEnd: Lsn | undefined;
  readonly messageAgeMs: Ms | undefined;
  readonly process: ProcessSample;
  /** Bytes that have arrived on this host and that the walreceiver has not taken. */
  readonly receiveQueueBytes: number | undefined;
}

export interface StandbySample {
  readonly receiver: ReceiverSample | undefined;
  readonly replayed: Lsn | undefined;
  readonly isPaused: boolean;
  readonly startup: ProcessSample | undefined;
  readonly applyDelayMs: Ms;
  readonly feedback: boolean;
  /** How long a query may hold replay back; undefined: for ever. */
  readonly longestWaitMs: Ms | undefined;
  /** Queries cancelled for replay since the statistics began, by kind. */
  readonly conflicts: Readonly<Record<string, number>>;
  /** The oldest ones that are open, oldest first. */
  readonly queries: readonly QuerySample[];
}

export interface ReplicationSample {
  readonly at: Instant;
  readonly version: number;
  /** End of WAL that this server could send: written on a primary, received or replayed on a standby. */
  readonly end: Lsn;
  readonly senders: readonly SenderSample[];
  /** Undefined on a primary. */
  readonly standby: StandbySample | undefined;
}
