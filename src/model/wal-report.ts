// How much WAL lies on one server, who keeps it, and how long does the disk last? Plain JSON; a stable contract.
import { printBytes, printSpan } from "./amounts.ts";
import type { SlotReport, SlotUse } from "./slot-report.ts";
import type { Ms } from "./time.ts";

/** What was measured: the files, their disk, the settings, and what the slots' own rows say beyond a look. */
export interface WalLook {
  readonly files: { readonly count: number; readonly bytes: number };
  readonly disk: { readonly freeBytes: number; readonly totalBytes: number } | undefined;
  /** Finished files that the archiver has not taken yet. */
  readonly waiting: number;
  readonly archiver: ArchiverLook;
  readonly maxWalBytes: number;
  /** wal_keep_size. */
  readonly keepBytes: number;
  readonly slots: readonly SlotRoomLook[];
}

export interface ArchiverLook {
  /** archive_mode: off, on, always. */
  readonly mode: string;
  readonly archived: number;
  readonly failed: number;
  readonly lastArchived: ArchivedFile | undefined;
  readonly lastFailed: ArchivedFile | undefined;
}

export interface ArchivedFile {
  readonly file: string;
  readonly ageMs: Ms;
}

export interface SlotRoomLook {
  readonly name: string;
  /** WAL that may yet be written before the slot is given up; undefined without a limit. */
  readonly safeBytes: number | undefined;
  /** The server's own word, from version 17 on. */
  readonly inactiveMs: Ms | undefined;
  /** Copied to standbys by the server itself, from version 17 on. */
  readonly failover: boolean;
}

export interface WalReport {
  readonly files: WalLook["files"];
  readonly disk?: { readonly freeBytes: number; readonly totalBytes: number };
  readonly walPerSecond?: number;
  /** At the present rate, and only while something keeps WAL that would otherwise go. */
  readonly fullInMs?: Ms;
  readonly maxWalBytes: number;
  readonly keepBytes: number;
  readonly slotLimitBytes?: number;
  readonly archiver: {
    readonly mode: string;
    readonly isFailing: boolean;
    readonly waiting: number;
    readonly archived: number;
    readonly failed: number;
    readonly lastArchived?: ArchivedFile;
    readonly lastFailed?: ArchivedFile;
  };
  readonly slots: readonly SlotForecast[];
  /** One sentence each: of slots, of archiving, of the disk. */
  readonly warnings: readonly string[];
}

/** What becomes of one slot when nobody does anything. */
export interface SlotForecast {
  readonly name: string;
  readonly safeBytes?: number;
  /** Until the server gives it up, at the present rate; only while it falls behind. */
  readonly lostInMs?: Ms;
  /** Until the disk is full on its account. */
  readonly fullInMs?: Ms;
  readonly failover: boolean;
  /** What dropping it would cost its reader. */
  readonly dropCost: string;
}

export interface WalSurroundings {
  /** On a standby slots are copies that follow their originals, read by nobody. */
  readonly isPrimary: boolean;
  readonly slots: readonly SlotReport[];
  readonly walPerSecond: number | undefined;
  readonly slotLimitBytes: number | undefined;
}

/** Below this nobody can say when anything will be full. */
const LEAST_RATE = 1024;
const SOON_MS: Ms = 24 * 3_600_000;
/** Of the disk, what may be left before it is worth a word whatever the rate is. */
const LITTLE_SHARE = 0.1;

export function walReport(look: WalLook, around: WalSurroundings): WalReport {
  const { files, disk, waiting, maxWalBytes, keepBytes } = look;
  const { archived, failed, lastArchived, lastFailed, mode } = look.archiver;
  const isFailing = isFailingNow(look);
  const slots = around.slots.map((report) => forecast(report, look, around));
  const fullest = slots.flatMap(({ fullInMs }) => (fullInMs === undefined ? [] : [fullInMs]));
  const byArchiver = isFailing ? timeFor(disk?.freeBytes, around.walPerSecond) : undefined;
  const soonest = [...fullest, ...(byArchiver === undefined ? [] : [byArchiver])];
  const fullInMs = soonest.length === 0 ? undefined : Math.min(...soonest);
  return {
    files,
    ...(disk === undefined ? {} : { disk }),
    ...(around.walPerSecond === undefined ? {} : { walPerSecond: around.walPerSecond }),
    ...(fullInMs === undefined ? {} : { fullInMs }),
    maxWalBytes,
    keepBytes,
    ...(around.slotLimitBytes === undefined ? {} : { slotLimitBytes: around.slotLimitBytes }),
    archiver: {
      mode,
      isFailing,
      waiting,
      archived,
      failed,
      ...(lastArchived === undefined ? {} : { lastArchived }),
      ...(lastFailed === undefined ? {} : { lastFailed }),
    },
    slots,
    warnings: [
      ...slots.flatMap(slotWarning),
      ...archiverWarning(look, byArchiver),
      ...diskWarning(look),
    ],
  };
}

/** The newest thing that happened was a failure. */
function isFailingNow({ archiver: { mode, lastArchived, lastFailed } }: WalLook): boolean {
  if (mode === "off" || lastFailed === undefined) return false;
  return lastArchived === undefined || lastFailed.ageMs < lastArchived.ageMs;
}

const timeFor = (bytes: number | undefined, rate: number | undefined): Ms | undefined =>
  bytes === undefined || rate === undefined || rate < LEAST_RATE
    ? undefined
    : Math.round((bytes * 1000) / rate);

/** Only a slot that nobody reads falls behind at the rate at which WAL is written. */
function forecast(report: SlotReport, look: WalLook, around: WalSurroundings): SlotForecast {
  const { slot, use } = report;
  const own = look.slots.find(({ name }) => name === slot.name);
  const isIdle = around.isPrimary && !slot.active;
  const keeps = isIdle && report.retainedBytes !== undefined && slot.walStatus !== "lost";
  const lostInMs = keeps ? timeFor(own?.safeBytes, around.walPerSecond) : undefined;
  const fullInMs = keeps ? timeFor(look.disk?.freeBytes, around.walPerSecond) : undefined;
  // A slot that is given up before the disk is full does not fill it.
  const fills = fullInMs !== undefined && (lostInMs === undefined || fullInMs <= lostInMs);
  return {
    name: slot.name,
    ...(own?.safeBytes === undefined ? {} : { safeBytes: own.safeBytes }),
    ...(lostInMs === undefined ? {} : { lostInMs }),
    ...(fills ? { fullInMs } : {}),
    failover: own?.failover ?? false,
    dropCost: dropCost(use, report),
  };
}

const COST_OF_LOGICAL = "its reader misses every change since and must be synchronised anew";

function dropCost(use: SlotUse, { slot }: SlotReport): string {
  if (slot.walStatus === "lost") return "nothing: the WAL that its reader needs is gone already";
  switch (use) {
    case "member":
      return slot.active
        ? "refused: its member is streaming from it"
        : "its member can go on only if the WAL is still there, else it is copied anew";
    case "away":
      return "when its member comes back it is copied anew, if the WAL is gone by then";
    case "temporary":
      return "the base backup or reader that made it fails";
    case "permanent":
    case "ignored":
    case "unknown":
      return slot.logical === undefined
        ? "its reader can go on only if the WAL is still there or in an archive"
        : COST_OF_LOGICAL;
    default:
      return use satisfies never;
  }
}

function slotWarning({ name, lostInMs, fullInMs, dropCost: cost }: SlotForecast) {
  if (fullInMs !== undefined && fullInMs < SOON_MS)
    return [
      `slot ${name} fills the disk in ${printSpan(fullInMs)} at this rate; dropping it: ${cost}`,
    ];
  if (lostInMs !== undefined && lostInMs < SOON_MS)
    return [`slot ${name} is given up in ${printSpan(lostInMs)} at this rate: start its reader`];
  return [];
}

function archiverWarning(look: WalLook, fullInMs: Ms | undefined): readonly string[] {
  if (!isFailingNow(look)) return [];
  const { lastFailed, failed } = look.archiver;
  const full = fullInMs === undefined ? "" : `; the disk is full in ${printSpan(fullInMs)}`;
  const when = printSpan(lastFailed?.ageMs ?? 0);
  return [
    `archiving fails: ${lastFailed?.file} ${when} ago, ${failed} failures in all, ${look.waiting} files wait${full}`,
  ];
}

function diskWarning({ disk }: WalLook): readonly string[] {
  if (disk === undefined || disk.freeBytes >= disk.totalBytes * LITTLE_SHARE) return [];
  return [
    `the disk of the WAL has ${printBytes(disk.freeBytes)} left of ${printBytes(disk.totalBytes)}`,
  ];
}
