// What of one repository goes when backups expire, what stays, and why?
//
// Pure: from what a complete look at the repository showed to one plan. Whatever is not understood stays, and so does all
// WAL that it might need.
import { printSpan } from "./amounts.ts";
import { planRetention, type RestorePoint, type RetentionPolicy } from "./backup-retention.ts";
import { type Lsn, lsn } from "./lsn.ts";
import type { BackupKind } from "./repo-keys.ts";
import type { Retention } from "./repository.ts";
import type { Ms } from "./time.ts";
import { parseWalName, segmentNumber } from "./wal-name.ts";

/** What the folder of one backup shows. */
export interface SeenBackup {
  readonly kind: BackupKind;
  readonly id: string;
  /** `marked`: its removal was begun. `abandoned`: what a run left that never ended, and was given up for good. */
  readonly state: "whole" | "unfinished" | "unreadable" | "marked" | "abandoned";
  /** Of its record; undefined when there is none. */
  readonly record: SeenRecord | undefined;
  readonly sizeBytes: number;
  /** When the store took the newest of its objects or notes, in wall-clock milliseconds. */
  readonly lastSignMs: number;
  /** Somebody has left a note that he reads or writes it, and it is fresh. */
  readonly isInUse: boolean;
}

export interface SeenRecord {
  /** Wall-clock milliseconds; of the node that took it and of the store the later. */
  readonly finishedAtMs: number;
  readonly verified: RestorePoint["verified"];
  readonly isDoubtful?: RestorePoint["isDoubtful"];
  /** Of a base backup. */
  readonly from: WalStart | undefined;
  /** Of a logical backup: what it is of. Only dumps of the same take each other's places. */
  readonly group: string;
}

export interface WalStart {
  readonly timeline: number;
  readonly startLsn: Lsn;
  readonly segmentBytes: number;
}

export interface SeenRepository {
  readonly backups: readonly SeenBackup[];
  /** When the newest object of all was stored; undefined when there is none. */
  readonly newestMs: number | undefined;
}

export type Fate = "stays" | "goes";

export interface JudgedBackup {
  readonly kind: BackupKind;
  readonly id: string;
  readonly fate: Fate;
  readonly because: string;
  readonly sizeBytes: number;
}

export interface ExpiryPlan {
  readonly backups: readonly JudgedBackup[];
  /** WAL that ends before this position may go. Undefined: none may. */
  readonly walFloor: WalStart | undefined;
  /** For people: why WAL stays from there on. */
  readonly walBecause: string;
}

/** Clocks that differ by more are wrong, one of them. */
export const CLOCK_TOLERANCE_MS: Ms = 3_600_000;
/** A repository that got nothing for so long: nobody backs up, or the clock has jumped ahead. */
const SILENCE_MS: Ms = 8 * 86_400_000;
/** A note that was not renewed for so long is of somebody who died; so is a backup that is not whole. */
export const STALE_MS: Ms = 86_400_000;

/** Why nothing may go at this moment; undefined when it may. */
export function whyNotNow(
  { backups, newestMs }: SeenRepository,
  clock: { readonly nowMs: number; readonly storeMs?: number | undefined },
): string | undefined {
  const { nowMs, storeMs } = clock;
  const off = storeMs === undefined ? 0 : Math.abs(nowMs - storeMs);
  if (off > CLOCK_TOLERANCE_MS)
    return `the clock here and the store's differ by ${printSpan(off)}: put it right first`;
  const latest = nowMs + CLOCK_TOLERANCE_MS;
  if (newestMs !== undefined && newestMs > latest)
    return `an object was stored ${printSpan(newestMs - nowMs)} in the future: the clock here is behind, or the store's is ahead`;
  const future = backups.find(({ record }) => record !== undefined && record.finishedAtMs > latest);
  if (future?.record !== undefined)
    return `${future.id} ends ${printSpan(future.record.finishedAtMs - nowMs)} in the future: a clock is wrong, and ages mean nothing`;
  if (newestMs !== undefined && nowMs - newestMs > SILENCE_MS)
    return `nothing was stored for ${printSpan(nowMs - newestMs)}: the clock has jumped ahead, or backups have stopped; take one first`;
  return undefined;
}

/** `agreed`: the only backups that may go, when a person has seen a list; undefined: all that the policy gives up. */
export function planExpiry(
  seen: SeenRepository,
  retention: Retention | undefined,
  { nowMs, agreed }: { readonly nowMs: number; readonly agreed?: ReadonlySet<string> | undefined },
): ExpiryPlan {
  const base = seen.backups.filter(({ kind }) => kind === "base");
  const logical = seen.backups.filter(({ kind }) => kind === "logical");
  const groups = new Set(logical.map(({ record }) => record?.group));
  const judged = [
    ...judge(base, retention?.base, nowMs),
    ...[...groups].flatMap((group) =>
      judge(
        logical.filter(({ record }) => record?.group === group),
        retention?.logical,
        nowMs,
      ),
    ),
  ].map((one) => spare(one, agreed));
  const floor =
    retention?.base === undefined
      ? { walFloor: undefined, walBecause: `all of it stays: ${NO_POLICY.base}` }
      : floorUnder(base, judged, nowMs);
  return { backups: judged, ...floor };
}

/** What was not in the list that a person agreed to stays for now. */
function spare(one: JudgedBackup, agreed: ReadonlySet<string> | undefined): JudgedBackup {
  if (one.fate === "stays" || agreed === undefined || agreed.has(one.id)) return one;
  return { ...one, fate: "stays", because: "it was not in the list that was agreed to" };
}

function judge(
  backups: readonly SeenBackup[],
  policy: RetentionPolicy | undefined,
  nowMs: number,
): readonly JudgedBackup[] {
  const whole = backups.filter(({ state }) => state === "whole");
  const plan = policy && planRetention(whole.flatMap(pointOf), policy, nowMs);
  const kept = new Map(plan?.keep.map(({ id, because }) => [id, because]));
  return backups.map((one): JudgedBackup => {
    const { kind, id, sizeBytes } = one;
    const about = { kind, id, sizeBytes };
    if (one.state !== "whole") return { ...about, ...judgeOdd(one, nowMs) };
    const because = kept.get(id);
    if (policy === undefined) return { ...about, fate: "stays", because: NO_POLICY[kind] };
    if (because !== undefined) return { ...about, fate: "stays", because };
    return { ...about, fate: "goes", because: "newer ones keep what was promised" };
  });
}

const NO_POLICY: Readonly<Record<BackupKind, string>> = {
  base: "backup.retention.base is not set",
  logical: "backup.retention.logical is not set",
};

const IN_USE = "it is being read or written";

function judgeOdd(
  { state, isInUse, lastSignMs }: SeenBackup,
  nowMs: number,
): Pick<JudgedBackup, "fate" | "because"> {
  switch (state) {
    case "unreadable":
      return { fate: "stays", because: "its record cannot be read: newer, or damaged" };
    case "marked":
      return isInUse
        ? { fate: "stays", because: "its removal was begun, and waits for a reader" }
        : { fate: "goes", because: "its removal was begun before" };
    case "abandoned":
      return { fate: "goes", because: "it was left by a run that never ended" };
    default: {
      const isYoung = isInUse || nowMs - lastSignMs < STALE_MS;
      return isYoung
        ? { fate: "stays", because: "it is being taken, or was left within a day" }
        : { fate: "goes", because: "it was left by a run that never ended" };
    }
  }
}

function pointOf({ id, record, isInUse }: SeenBackup): readonly RestorePoint[] {
  if (record === undefined) return [];
  const { finishedAtMs, verified, isDoubtful, from } = record;
  const pinned = isInUse ? IN_USE : undefined;
  // A dump needs no WAL: of two, the newer is told by its time alone.
  const { timeline, startLsn } = from ?? { timeline: 0, startLsn: lsn(finishedAtMs) };
  return [{ id, timeline, startLsn, finishedAtMs, verified, isDoubtful, pinned }];
}

/**
 * From the start of the oldest backup that stays, on every timeline: positions only grow along a path of history, so
 * whatever lies before that start serves none of them, on no branch.
 */
function floorUnder(
  base: readonly SeenBackup[],
  judged: readonly JudgedBackup[],
  nowMs: number,
): Pick<ExpiryPlan, "walFloor" | "walBecause"> {
  const all = (why: string) => ({ walFloor: undefined, walBecause: why });
  const goes = new Set(judged.filter(({ fate }) => fate === "goes").map(({ id }) => id));
  const stays = base.filter(({ id }) => !goes.has(id));
  const unclear = stays.find(({ record }) => record?.from === undefined);
  if (unclear !== undefined)
    return all(`all of it stays: ${unclear.id} may need it; ${judgeOdd(unclear, nowMs).because}`);
  const starts = stays.flatMap(({ id, record }) => record?.from && [{ id, ...record.from }]);
  const oldest = starts.filter((one) => one !== undefined).toSorted(earlierFirst)[0];
  if (oldest === undefined) return all("all of it stays: there is no base backup that it leads on");
  if (starts.some((one) => one?.segmentBytes !== oldest.segmentBytes))
    return all("all of it stays: base backups differ in the size of their segments");
  const { id, timeline, startLsn, segmentBytes } = oldest;
  return {
    walFloor: { timeline, startLsn, segmentBytes },
    walBecause: `it stays from the start of ${id} on`,
  };
}

const earlierFirst = (a: WalStart, b: WalStart): number => (a.startLsn < b.startLsn ? -1 : 1);

/** Histories stay: without them nobody knows which timeline continues which. */
export function isBelow(name: string, { startLsn, segmentBytes }: WalStart): boolean {
  const parsed = parseWalName(name, segmentBytes);
  if (parsed?.kind !== "segment" && parsed?.kind !== "partial") return false;
  return parsed.number < segmentNumber(startLsn, segmentBytes);
}
