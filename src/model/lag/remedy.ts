// What can be done about a lag, on this version of the server?
//
// A physical standby is the primary byte for byte: it cannot have fewer indexes, other fill factors or other tables,
// so no advice of that kind is given.
import { printSpan } from "../amounts.ts";
import type { LagCase, LagCause } from "./case.ts";

const FIRST_WITH_PREFETCH = 150_000;
const FIRST_WITH_ZSTD = 150_000;

export function remedyFor(cause: LagCause, of: LagCase): readonly string[] {
  const version = of.version ?? 0;
  switch (cause) {
    case "idle":
    case "caught_up":
      return [];
    case "unknown":
      return ["start its agent, or look at its host"];
    case "disconnected":
      return [
        "look at what its agent is doing: understudy status",
        "look at the server's log: understudy logs --server",
        "if the WAL that it needs is gone, copy it anew: understudy reinit",
      ];
    case "paused":
      return ["when nobody needs it any more: SELECT pg_wal_replay_resume() on it"];
    case "delayed":
      return ["nothing; it cannot take over quickly while recovery_min_apply_delay is set"];
    case "query":
      return [...endOfQuery(of), ...gentler(of)];
    case "conflict":
      return gentler(of);
    case "sender":
      return [
        "let some standbys stream from another standby (replicatefrom)",
        "give the upstream memory or a faster disk: it reads WAL that is not in memory any more",
      ];
    case "network":
      return [
        version >= FIRST_WITH_ZSTD
          ? "wal_compression = zstd or lz4 makes full-page images small"
          : "wal_compression = on makes full-page images small",
        "fewer full-page images: a longer checkpoint_timeout and a larger max_wal_size",
        "more bandwidth, or one standby a site that feeds the others there (replicatefrom)",
      ];
    case "disk":
      return [
        "put pg_wal of the standby on a faster disk, or one of its own",
        "see who else writes to that disk: backups, reports, other servers",
      ];
    case "replay_disk":
      return [
        ...(version >= FIRST_WITH_PREFETCH
          ? ["recovery_prefetch = on and a larger maintenance_io_concurrency read ahead"]
          : []),
        "more shared_buffers on the standby, or a faster disk for its data",
      ];
    case "replay_cpu":
      return [
        "replay is one process: a faster processor helps, more of them do not",
        "give it a processor of its own: fewer reads on this standby, no quota on its server",
        "write less on the primary: drop indexes there that nobody uses, batch updates",
      ];
    case "stopped":
      return ["find out who stopped it, then: kill -CONT with its pid"];
    case "unclear":
      return ["watch it: understudy lag --watch"];
    default:
      return cause satisfies never;
  }
}

function endOfQuery({ own }: LagCase): readonly string[] {
  const worst = own?.queries.find(({ blocks }) => blocks) ?? own?.queries[0];
  const limit =
    own?.longestWaitMs === undefined
      ? "replay waits for it without limit (max_standby_streaming_delay = -1)"
      : `replay cancels it after ${printSpan(own.longestWaitMs)} (max_standby_streaming_delay)`;
  return worst === undefined
    ? [limit]
    : [`end it: SELECT pg_cancel_backend(${worst.pid}) on the standby`, limit];
}

/** What keeps queries and replay apart, and what that costs. */
function gentler({ own }: LagCase): readonly string[] {
  return [
    ...(own?.feedback === false
      ? ["hot_standby_feedback = on lets the primary keep what queries here still see; it bloats"]
      : []),
    "send long reports to a standby of their own, with a larger max_standby_streaming_delay",
    "take exclusive locks (DDL, VACUUM that truncates) when nobody reads",
  ];
}
