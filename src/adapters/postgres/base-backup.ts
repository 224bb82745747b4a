// How does a running server hand over all of its data? The BASE_BACKUP command of the replication protocol, as a stream.
//
// One connection, one archive for each tablespace, the server's own manifest behind them. The protocol is described in
// the PostgreSQL manual, "Streaming Replication Protocol"; this form of it is spoken from version 15 on.
import { Socket } from "node:net";
import pg from "pg";
import type { FileSum } from "../../model/backup-manifest.ts";
import { AppError } from "../../model/error.ts";
import { type Lsn, parseLsn, ZERO_LSN } from "../../model/lsn.ts";
import type { Compression } from "../../model/repository.ts";
import type { Ms } from "../../model/time.ts";
import { quoteText, type SessionTarget } from "./session.ts";

export interface BaseBackupOptions {
  readonly target: SessionTarget;
  readonly label: string;
  /** Kilobytes a second that the server may send; undefined: as fast as it goes. The server takes 32 to 1048576. */
  readonly maxRateKb: number | undefined;
  /** What the server does to the archives before it sends them. */
  readonly compression: Compression;
  /** What its manifest has of each file; decision 0128 says what each costs the server. */
  readonly summedBy: FileSum;
  readonly signal: AbortSignal;
}

export interface SentTablespace {
  readonly oid: string;
  readonly path: string;
}

/** Whose data it is, and where in its history the copy begins. */
export interface BackupStart {
  readonly kind: "start";
  readonly systemId: string;
  /** As PostgreSQL counts it: 150018 is 15.18. */
  readonly versionNumber: number;
  readonly segmentBytes: number;
  readonly isStandby: boolean;
  readonly startLsn: Lsn;
  readonly timeline: number;
  readonly tablespaces: readonly SentTablespace[];
  /** The server's estimate of the uncompressed size. */
  readonly totalBytes: number;
}

/** What arrives, in this order: start, then each archive and its bytes, the manifest and its bytes, the end. */
export type BackupEvent =
  | BackupStart
  | { readonly kind: "archive"; readonly name: string }
  | { readonly kind: "manifest" }
  | { readonly kind: "data"; readonly bytes: Buffer }
  | { readonly kind: "progress"; readonly doneBytes: number }
  | { readonly kind: "end"; readonly stopLsn: Lsn; readonly timeline: number };

const CONNECT_LIMIT_MS: Ms = 10_000;
/** Events that may wait before the server is asked to wait: at most 8 MB of data, since it sends 32 kB at once. */
const MOST_WAITING = 256;
const OLDEST_VERSION = 150_000;
const ATTEMPT = "taking a base backup";

/**
 * Everything of the server at `target`, with the WAL that the copy needs to become consistent; a temporary slot keeps
 * that WAL until it has been sent. When the reader stops early or the signal fires, the connection ends, and with it the
 * backup on the server.
 */
export async function* readBaseBackup(options: BaseBackupOptions): AsyncGenerator<BackupEvent> {
  const { signal, target } = options;
  signal.throwIfAborted();
  const socket = new Socket();
  const onAbort = (): void => void socket.destroy();
  signal.addEventListener("abort", onAbort, { once: true });
  const config = {
    ...target,
    replication: "true",
    application_name: "understudy_backup",
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
    keepAlive: true,
    stream: () => socket,
  };
  const client = new pg.Client(config);
  client.on("error", () => undefined);
  try {
    await client.connect();
    const server = await identify(client);
    await client.query(
      `CREATE_REPLICATION_SLOT understudy_backup_${process.pid} TEMPORARY PHYSICAL RESERVE_WAL`,
    );
    for await (const event of received(client, socket, commandFor(options))) {
      yield event.kind === "start" ? { ...event, ...server } : event;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof AppError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new AppError("BACKUP_FAILED", ATTEMPT, why, error);
  } finally {
    signal.removeEventListener("abort", onAbort);
    socket.destroy();
  }
}

type Server = Pick<BackupStart, "systemId" | "versionNumber" | "segmentBytes" | "isStandby">;

async function identify(client: pg.Client): Promise<Server> {
  const system = await client.query<{ systemid: string }>("IDENTIFY_SYSTEM");
  const version = await client.query<{ server_version_num: string }>("SHOW server_version_num");
  const segment = await client.query<{ wal_segment_size: string }>("SHOW wal_segment_size");
  const role = await client.query<{ in_hot_standby: string }>("SHOW in_hot_standby");
  const versionNumber = Number(version.rows[0]?.server_version_num);
  if (!(versionNumber >= OLDEST_VERSION)) {
    const why = `the server is of version ${Math.floor(versionNumber / 10_000)}; base backups begin with 15`;
    throw new AppError("NOT_POSSIBLE", ATTEMPT, why);
  }
  return {
    systemId: system.rows[0]?.systemid ?? "",
    versionNumber,
    segmentBytes: parseSegmentSize(segment.rows[0]?.wal_segment_size ?? ""),
    isStandby: role.rows[0]?.in_hot_standby === "on",
  };
}

/** `16MB` or `1GB`, as SHOW prints it. */
function parseSegmentSize(text: string): number {
  const match = /^(\d+)(MB|GB)$/.exec(text);
  if (match === null) throw new AppError("BACKUP_FAILED", ATTEMPT, `odd WAL segment size ${text}`);
  return Number(match[1]) * (match[2] === "GB" ? 1024 ** 3 : 1024 ** 2);
}

function commandFor({ label, maxRateKb, compression, summedBy }: BaseBackupOptions): string {
  const parts = [
    `LABEL ${quoteText(label)}`,
    "PROGRESS",
    "CHECKPOINT 'fast'",
    "WAL",
    // The copy has its own WAL: it must not wait for an archive that may be away.
    "WAIT 0",
    "TABLESPACE_MAP",
    "MANIFEST 'yes'",
    `MANIFEST_CHECKSUMS '${summedBy}'`,
    ...(maxRateKb === undefined ? [] : [`MAX_RATE ${maxRateKb}`]),
    ...(compression === "none"
      ? []
      : [`COMPRESSION '${compression}'`, "COMPRESSION_DETAIL 'level=1'"]),
  ];
  return `BASE_BACKUP (${parts.join(", ")})`;
}

type Raw = Exclude<BackupEvent, BackupStart> | Omit<BackupStart, keyof Server>;

/** Runs the command; the socket is paused while too many events wait for the reader. */
async function* received(client: pg.Client, socket: Socket, command: string): AsyncGenerator<Raw> {
  const waiting: Raw[] = [];
  let ending: { readonly error: Error | undefined } | undefined;
  let wake: () => void = () => undefined;
  const end = (error: Error | undefined): void => {
    ending ??= { error };
    wake();
  };
  const push = (event: Raw): void => {
    waiting.push(event);
    if (waiting.length >= MOST_WAITING) socket.pause();
    wake();
  };
  socket.once("close", () => end(new Error("the connection to the server ended")));
  client.query(createReceiver(command, push, end));
  for (;;) {
    const event = waiting.shift();
    if (event !== undefined) {
      yield event;
      continue;
    }
    if (ending !== undefined) {
      if (ending.error !== undefined) throw ending.error;
      return;
    }
    socket.resume();
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}

interface DataRow {
  readonly fields: readonly (string | null)[];
}

/**
 * What the driver calls for each message. The command answers with three results: where the backup begins, which
 * tablespaces there are, and behind the copied data where it ends.
 */
function createReceiver(
  command: string,
  push: (event: Raw) => void,
  end: (error: Error | undefined) => void,
): pg.Submittable {
  const results: (readonly (string | null)[])[][] = [];
  const receiver = {
    submit: (connection: pg.Connection) => connection.query(command),
    handleRowDescription: () => void results.push([]),
    handleDataRow: ({ fields }: DataRow) => void results.at(-1)?.push(fields),
    handleCommandComplete: () => undefined,
    handleCopyData: ({ chunk }: { readonly chunk: Buffer }) => {
      const began = results.length === 2 ? startOf(results) : undefined;
      if (began !== undefined) {
        push(began);
        results.push([]); // What follows is the third result, so this is told once.
      }
      const event = eventOf(chunk);
      if (event !== undefined) push(event);
    },
    handleError: (error: Error) => end(error),
    handleReadyForQuery: () => {
      const [position, timeline] = results.at(-1)?.[0] ?? [];
      const stopLsn = parseLsn(position ?? "");
      if (stopLsn === undefined) return end(new Error("the server did not say where it ended"));
      push({ kind: "end", stopLsn, timeline: Number(timeline) });
      return end(undefined);
    },
  };
  return receiver;
}

function startOf([start, spaces]: readonly (readonly (readonly (string | null)[])[])[]): Raw {
  const [position, timeline] = start?.[0] ?? [];
  const rows = spaces ?? [];
  return {
    kind: "start",
    startLsn: parseLsn(position ?? "") ?? ZERO_LSN,
    timeline: Number(timeline),
    tablespaces: rows.flatMap(([oid, path]) =>
      typeof oid === "string" && typeof path === "string" ? [{ oid, path }] : [],
    ),
    totalBytes: rows.reduce((sum, [, , kilobytes]) => sum + Number(kilobytes) * 1024, 0),
  };
}

/** The first byte says what a message is. Its bytes are copied: the driver uses its buffer again. */
function eventOf(chunk: Buffer): Raw | undefined {
  switch (String.fromCharCode(chunk[0] ?? 0)) {
    case "d":
      return { kind: "data", bytes: Buffer.from(chunk.subarray(1)) };
    case "n":
      return { kind: "archive", name: chunk.subarray(1, chunk.indexOf(0, 1)).toString("utf8") };
    case "m":
      return { kind: "manifest" };
    case "p":
      return { kind: "progress", doneBytes: Number(chunk.readBigUInt64BE(1)) };
    default:
      return undefined;
  }
}
