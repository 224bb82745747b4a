// What does global/pg_control say? Read straight from disk: it needs neither a server nor a client program.
//
// The layout up to the checksum has been the same from PostgreSQL 14 to 18 (18 adds one flag just before it).
// The checksum guards against a torn read while the server writes; two further fields guard against a layout
// that we do not know.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../model/error.ts";
import { type Lsn, lsn } from "../../model/lsn.ts";
import type { ControlData } from "../../model/server.ts";
import { crc32c } from "./crc32c.ts";

const STATES = [
  "starting up",
  "shut down",
  "shut down in recovery",
  "shutting down",
  "in crash recovery",
  "in archive recovery",
  "in production",
] as const satisfies readonly ControlData["state"][];

/** The control file's enum begins with "starting up" and has no gaps. */
const CRC_OFFSETS = [288, 292] as const;
const FLOAT_MARK = 1_234_567;
const LARGEST_TORN_READS = 20;

/** The settings of the last primary that a standby must not fall below, or it stops replaying. */
export interface ControlLimits {
  readonly max_connections: number;
  readonly max_worker_processes: number;
  readonly max_wal_senders: number;
  readonly max_prepared_transactions: number;
  readonly max_locks_per_transaction: number;
}

export interface ControlFile {
  readonly systemId: string;
  readonly controlVersion: number;
  readonly catalogVersion: number;
  readonly state: ControlData["state"];
  readonly checkpointLsn: Lsn;
  readonly redoLsn: Lsn;
  readonly timeline: number;
  /** How far, and on which timeline, an interrupted recovery must come before the data is consistent. */
  readonly minRecoveryLsn: Lsn;
  readonly minRecoveryTimeline: number;
  readonly walLogHints: boolean;
  readonly dataChecksums: boolean;
  readonly segmentSize: number;
  readonly limits: ControlLimits;
}

export const controlPath = (dataDir: string): string => join(dataDir, "global", "pg_control");

/** Reads the control file; undefined when there is none. A read that met a write is repeated. */
export async function readControlFile(dataDir: string): Promise<ControlFile | undefined> {
  for (let attempt = 0; attempt < LARGEST_TORN_READS; attempt++) {
    const bytes = await readFile(controlPath(dataDir)).catch(absent);
    if (bytes === undefined) return undefined;
    const parsed = parseControlFile(bytes);
    if (parsed !== undefined) return parsed;
  }
  const why = "global/pg_control is damaged or of an unknown layout";
  throw new AppError("PG_DATA_FOREIGN", `reading ${controlPath(dataDir)}`, why);
}

/** The parsed file, or undefined when its checksum does not hold. */
export function parseControlFile(bytes: Buffer): ControlFile | undefined {
  if (bytes.length < 296) return undefined;
  const isWhole = CRC_OFFSETS.some(
    (at) => crc32c(bytes.subarray(0, at)) === bytes.readUInt32LE(at),
  );
  if (!isWhole || bytes.readDoubleLE(208) !== FLOAT_MARK) return undefined;
  const state = STATES[bytes.readUInt32LE(16)];
  if (state === undefined) return undefined;
  return {
    systemId: bytes.readBigUInt64LE(0).toString(),
    controlVersion: bytes.readUInt32LE(8),
    catalogVersion: bytes.readUInt32LE(12),
    state,
    checkpointLsn: lsn(bytes.readBigUInt64LE(32)),
    redoLsn: lsn(bytes.readBigUInt64LE(40)),
    timeline: bytes.readUInt32LE(48),
    minRecoveryLsn: lsn(bytes.readBigUInt64LE(136)),
    minRecoveryTimeline: bytes.readUInt32LE(144),
    walLogHints: bytes.readUInt8(176) !== 0,
    dataChecksums: bytes.readUInt32LE(252) !== 0,
    segmentSize: bytes.readUInt32LE(228),
    limits: {
      max_connections: bytes.readInt32LE(180),
      max_worker_processes: bytes.readInt32LE(184),
      max_wal_senders: bytes.readInt32LE(188),
      max_prepared_transactions: bytes.readInt32LE(192),
      max_locks_per_transaction: bytes.readInt32LE(196),
    },
  };
}

/** A server that said so left nothing behind that recovery would have to replay. */
export const isCleanlyDown = (state: ControlData["state"]): boolean =>
  state === "shut down" || state === "shut down in recovery";

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
  throw error;
}
