// What was seen of one copy of the cluster's data, and does it count as one?
//
// Only what was read counts: what lies where, whether WAL leads on from it, when it was read back. Names in a file do not.
import { printBytes, printSpan } from "./amounts.ts";
import { lagBytes, parseLsn } from "./lsn.ts";
import type { Ms } from "./time.ts";

/** Three answers, since unknown is not no. */
export type Counts = "yes" | "no" | "unknown";

export interface BackupEvidence {
  readonly id: string;
  /** Wall-clock milliseconds of the node that took it. */
  readonly begunAtMs: number;
  /** When it was last read back; absent when nobody has since it was taken. */
  readonly verified?: {
    readonly atMs: number;
    readonly depth: "content" | "stored";
    readonly outcome: "passed" | "failed";
  };
  /** When it was last restored in a drill whose proof is to be believed. */
  readonly drilled?: {
    readonly id: string;
    readonly atMs: number;
    readonly outcome: "passed" | "failed";
  };
}

/** How far one backup leads with the WAL that lies beside it. */
export interface WalEvidence {
  readonly backup: string;
  /** PostgreSQL's text: the end of the last whole segment without a hole, or of the backup itself. */
  readonly reach: string;
  /** The newest that continues the backup's. */
  readonly timeline: number;
  /** More WAL lies behind a hole. */
  readonly isBroken: boolean;
  readonly segmentBytes: number;
}

export type Held =
  | { readonly kind: "unknown"; readonly why: string }
  | { readonly kind: "unclaimed" }
  | { readonly kind: "foreign"; readonly why: string }
  | {
      readonly kind: "read";
      /** Newest first. */
      readonly backups: readonly BackupEvidence[];
      /** Ids of backups whose record cannot be read. */
      readonly unreadable: readonly string[];
      /** Of `usableBackup`; absent when there is none. */
      readonly wal?: WalEvidence;
    };

/** Where something lies, from the narrowest to the widest; absent where it could not be found out. */
export interface Whereabouts {
  /** Equal for the same directory or the same folder of a bucket, whatever its names. */
  readonly place?: string;
  /** Equal for one file system or one bucket: what is lost at once. */
  readonly volume?: string;
  /** Equal for one file system or one provider of object storage. */
  readonly medium?: string;
}

export interface RepositoryEvidence extends Whereabouts {
  readonly name: string;
  /** What it lies on, in the user's own word. */
  readonly storage: string;
  readonly offSite: boolean;
  readonly held: Held;
}

export interface Moment {
  readonly nowMs: number;
  /** A backup, or a proof of it, that is older is told. */
  readonly oldAfterMs: Ms;
  /** Where the primary writes, in PostgreSQL's text; absent when nobody could say. */
  readonly position?: string | undefined;
  /** On which it writes. */
  readonly timeline?: number | undefined;
}

export interface JudgedCopy extends Whereabouts {
  readonly name: string;
  readonly storage: string;
  readonly offSite: boolean;
  readonly counts: Counts;
  readonly why: string;
  /** A command or a deed that would make it count. */
  readonly next?: string;
  /** It was read back, wholly and not too long ago. The live data is, by those who use it. */
  readonly isProven: boolean;
  /** A drill restored it, not too long ago: there is no stronger proof. */
  readonly isRestored?: boolean;
  /** What is not as it should be although it may count. */
  readonly remarks: readonly string[];
}

/** WAL gets there by whole segments and a burst may be on its way: so many behind is late, and no longer the cluster's data. */
const BEHIND_SEGMENTS = 16;

/** The newest backup that was not found damaged when it was last read back. */
export const usableBackup = <B extends Pick<BackupEvidence, "verified">>(
  backups: readonly B[],
): B | undefined => backups.find(({ verified }) => verified?.outcome !== "failed");

export function judgeRepository(seen: RepositoryEvidence, moment: Moment): JudgedCopy {
  const { held, ...about } = seen;
  return { ...about, isProven: false, remarks: [], ...judged(seen.name, held, moment) };
}

type Judged = Pick<JudgedCopy, "counts" | "why"> &
  Partial<Pick<JudgedCopy, "next" | "isProven" | "isRestored" | "remarks">>;

function judged(name: string, held: Held, moment: Moment): Judged {
  switch (held.kind) {
    case "unknown":
      return {
        counts: "unknown",
        why: `could not be read: ${held.why}`,
        next: `understudy backup repo list ${name}`,
      };
    case "unclaimed":
      return {
        counts: "no",
        why: "nothing was ever put there",
        next: `understudy backup repo init ${name}`,
      };
    case "foreign":
      return { counts: "no", why: held.why, next: `understudy backup repo list ${name}` };
    case "read":
      return judgedContent(name, held, moment);
    default:
      return held satisfies never;
  }
}

function judgedContent(name: string, held: Held & { kind: "read" }, moment: Moment): Judged {
  const { backups, wal } = held;
  const remarks = damageOf(held);
  const backup = usableBackup(backups);
  const again = `understudy backup run --repo ${name}`;
  if (backup === undefined) {
    const isEmpty = backups.length === 0;
    const why = isEmpty ? "holds no base backup" : "every base backup in it is damaged";
    return { counts: "no", why, next: again, remarks };
  }
  if (wal?.backup !== backup.id)
    return {
      counts: "unknown",
      why: `nobody looked how far ${backup.id} leads`,
      next: "ask again: understudy backup 3-2-1",
      remarks,
    };
  const ageMs = Math.max(0, moment.nowMs - backup.begunAtMs);
  const about = `${backup.id}, begun ${printSpan(ageMs)} ago, leads to ${wal.reach}`;
  const late = lateness(wal, moment);
  if (late !== undefined) return { counts: "no", why: `${about}: ${late}`, next: again, remarks };
  if (moment.position === undefined) {
    const why = `${about}: nobody leads, so what was written since is not known`;
    return { counts: "unknown", why, next: "understudy status", remarks };
  }
  const old = ageMs > moment.oldAfterMs ? [`its newest backup is ${printSpan(ageMs)} old`] : [];
  const doubts = doubtsOf(backup, moment);
  return {
    counts: "yes",
    why: about,
    isProven: doubts.length === 0,
    ...(isRestored(backup, moment) ? { isRestored: true } : {}),
    remarks: [...doubts, ...old, ...remarks],
  };
}

/** Why the copy is no longer one of what the cluster holds; undefined when it is. */
function lateness(wal: WalEvidence, { position, timeline }: Moment): string | undefined {
  if (wal.isBroken) return "there its WAL has a hole";
  // Another branch may reach as far: what was written on it is not what the cluster holds.
  if (timeline !== undefined && wal.timeline < timeline)
    return `on timeline ${wal.timeline}, and the cluster is on ${timeline}`;
  const now = position === undefined ? undefined : parseLsn(position);
  const reach = parseLsn(wal.reach);
  if (now === undefined || reach === undefined) return undefined;
  const behind = lagBytes(now, reach);
  if (behind <= BEHIND_SEGMENTS * wal.segmentBytes) return undefined;
  return `${printBytes(behind)} of WAL were written since`;
}

const isRestored = ({ drilled }: BackupEvidence, { nowMs, oldAfterMs }: Moment): boolean =>
  drilled?.outcome === "passed" && nowMs - drilled.atMs <= oldAfterMs;

/** Why what lies there is not known to be readable; empty when it is. */
function doubtsOf(backup: BackupEvidence, moment: Moment): readonly string[] {
  const { drilled, verified } = backup;
  const { nowMs, oldAfterMs } = moment;
  if (drilled?.outcome === "failed")
    return [`its last drill failed: understudy drill show ${drilled.id}`];
  if (isRestored(backup, moment)) return [];
  if (verified === undefined) return ["it was never read back"];
  const ageMs = Math.max(0, nowMs - verified.atMs);
  if (ageMs > oldAfterMs) return [`it was last read back ${printSpan(ageMs)} ago`];
  if (verified.depth === "stored")
    return [
      "its stored bytes were read back but not unpacked: verify it on a member with a private key",
    ];
  return [];
}

function damageOf({ backups, unreadable }: Held & { kind: "read" }): readonly string[] {
  const damaged = backups.filter(({ verified }) => verified?.outcome === "failed");
  return [
    ...damaged.map(({ id }) => `${id} is damaged`),
    ...unreadable.map((id) => `${id} has a record that cannot be read`),
  ];
}
