// What do agent and fence say to each other? One JSON object a line, over a Unix socket in the state directory.
import { closeSync, constants, openSync } from "node:fs";
import { join } from "node:path";
import type { ErrorCode } from "../../model/error.ts";
import type { Instant, Ms } from "../../model/time.ts";
import type { FenceEvent, FenceStatus, KillReport, ServerCommand } from "../../ports/fence.ts";

export const SOCKET_NAME = "fence.sock";
export const LOCK_NAME = "fence.lock";
export const FENCE_LOG_NAME = "fence.log";
/** The longest line either side accepts. */
export const LINE_LIMIT = 256 * 1024;
/** Without an acknowledgement in this time the fence counts as lost (R14). */
export const ACK_LIMIT_MS: Ms = 500;

export type Request =
  | { readonly do: "hello"; readonly agentPid: number }
  | { readonly do: "ping" }
  | { readonly do: "adopt"; readonly leaseId: string }
  | { readonly do: "arm"; readonly term: number; readonly until: Instant }
  | { readonly do: "disarm" }
  | { readonly do: "unguard"; readonly term: number }
  | { readonly do: "start"; readonly command: ServerCommand }
  | { readonly do: "kill"; readonly graceMs: Ms; readonly timeoutMs: Ms }
  | { readonly do: "quit" };

export type Numbered = Request & { readonly id: number };

/** The fence's own view, sent with every answer, so that the agent's memory is never older than the last one. */
export interface WireStatus {
  /** The fence's reading of the boot clock: proof that both sides read the same one (R14). */
  readonly now: Instant;
  readonly pid: number;
  readonly generation: number;
  readonly leaseId: string | null;
  readonly armed: { readonly term: number; readonly until: Instant } | null;
  /** Absent from a fence that an older agent started: such a one lets nothing run without a deadline. */
  readonly unguarded?: number | null;
  readonly serverPid: number | null;
  readonly lacking: readonly string[];
  readonly watchdog: FenceStatus["watchdog"];
}

export type Answer =
  | {
      readonly id: number;
      readonly ok: true;
      readonly status: WireStatus;
      readonly pid?: number;
      readonly report?: KillReport;
    }
  | {
      readonly id: number;
      readonly ok: false;
      readonly status: WireStatus;
      readonly code: ErrorCode;
      readonly why: string;
    };

/** What the fence says unasked. `superseded`: a newer agent has said hello (R11). */
export type Notice = Exclude<FenceEvent, { kind: "lost" }> | { readonly kind: "superseded" };
export type FromFence = Answer | { readonly notice: Notice };

export const printLine = (message: Numbered | FromFence): string => `${JSON.stringify(message)}\n`;

/** Cuts a stream into lines; false once a line is longer than anybody may send. */
export function lineReader(onLine: (line: string) => void): (chunk: Buffer) => boolean {
  let rest = "";
  return (chunk) => {
    const lines = (rest + chunk.toString("utf8")).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") onLine(line);
    return rest.length <= LINE_LIMIT;
  };
}

/** A Unix socket's name holds 107 bytes; a longer one is reached through an open directory. */
const SOCKET_NAME_LIMIT = 107;

/** Runs `use` with a name for the socket that is short enough, whatever the directory is called. */
export async function withSocketPath<T>(
  stateDir: string,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const path = join(stateDir, SOCKET_NAME);
  if (Buffer.byteLength(path) <= SOCKET_NAME_LIMIT) return use(path);
  const directory = openSync(stateDir, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return await use(`/proc/self/fd/${directory}/${SOCKET_NAME}`);
  } finally {
    closeSync(directory);
  }
}
