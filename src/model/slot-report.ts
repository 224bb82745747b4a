// What is each slot of one server for, how much WAL does it hold back, and is that a reason to worry?
import { printBytes, printSpan } from "./amounts.ts";
import type { SlotState } from "./server.ts";
import type { Ms } from "./time.ts";

/** `unknown`: something else made it. `ignored`: the configuration says that it is none of our business. */
export type SlotUse = "member" | "away" | "permanent" | "ignored" | "temporary" | "unknown";

export interface SlotReport {
  readonly slot: SlotState;
  readonly use: SlotUse;
  /** How long nobody has been reading from it, as far as this agent has seen. */
  readonly idleMs: Ms | undefined;
  /** For a standby's copy of a logical slot: whether it will be offered when this server leads. */
  readonly isSafe: boolean | undefined;
  /** WAL between the slot and the end; undefined when it keeps none. */
  readonly retainedBytes: number | undefined;
}

/** The server around the slots. */
export interface SlotRoom {
  readonly isPrimary: boolean;
  /** Configured slots that existed and are not here any more. */
  readonly lost: readonly string[];
  readonly limitBytes: number | undefined;
  readonly diskFreeBytes: number | undefined;
  readonly diskBytes: number | undefined;
}

const IDLE_TOO_LONG_MS: Ms = 5 * 60_000;
/** Of what slots may keep: beyond this share somebody should look before PostgreSQL gives the slot up. */
const MUCH = 0.5;

/** One sentence for each thing that a person should look at, worst first. */
export function slotWarnings(reports: readonly SlotReport[], room: SlotRoom): readonly string[] {
  return [
    ...room.lost.map(
      (name) =>
        `slot ${name} did not survive the failover: its reader would miss changes. Take it out of slots, ` +
        "resynchronise the reader, and configure it again",
    ),
    ...reports.flatMap((report) => lostWarning(report)),
    ...reports.flatMap((report) => fullWarning(report, room)),
    ...reports.flatMap((report) => idleWarning(report, room)),
    ...limitWarning(room),
  ];
}

function lostWarning({ slot }: SlotReport): readonly string[] {
  if (slot.walStatus === "lost")
    return [`slot ${slot.name} is lost: WAL that its reader needs is gone`];
  return slot.walStatus === "unreserved"
    ? [`slot ${slot.name} is about to be lost: it needs WAL that may be removed at any time`]
    : [];
}

function fullWarning({ slot, retainedBytes }: SlotReport, room: SlotRoom): readonly string[] {
  if (retainedBytes === undefined || slot.walStatus === "lost") return [];
  const { limitBytes, diskFreeBytes } = room;
  const untilFull =
    diskFreeBytes === undefined ? Number.POSITIVE_INFINITY : diskFreeBytes + retainedBytes;
  const most = Math.min(limitBytes ?? Number.POSITIVE_INFINITY, untilFull);
  if (retainedBytes <= most * MUCH) return [];
  return [
    `slot ${slot.name} keeps ${printBytes(retainedBytes)} of WAL of at most ${printBytes(most)}`,
  ];
}

/** On a standby every slot is idle: they are copies. A member that does not stream is reported as a member. */
function idleWarning({ slot, use, idleMs, retainedBytes }: SlotReport, room: SlotRoom) {
  const isWatched = room.isPrimary && (use === "permanent" || use === "unknown");
  if (!isWatched || idleMs === undefined || idleMs < IDLE_TOO_LONG_MS) return [];
  const kept = retainedBytes === undefined ? "" : ` and keeps ${printBytes(retainedBytes)} of WAL`;
  return [`slot ${slot.name} has had no reader for ${printSpan(idleMs)}${kept}`];
}

function limitWarning({ limitBytes, diskBytes }: SlotRoom): readonly string[] {
  if (limitBytes === undefined)
    return ["max_slot_wal_keep_size is unlimited: one forgotten slot can fill the disk"];
  if (diskBytes === undefined || limitBytes <= diskBytes) return [];
  const sizes = `${printBytes(limitBytes)}, the disk ${printBytes(diskBytes)}`;
  return [`max_slot_wal_keep_size is larger than the disk (${sizes}): one slot can fill it`];
}
