// How does replication stand on this server, measured on this host? Over a session of its own, so that a look that
// hangs holds up no decision.
import type {
  ProcessSample,
  ReceiverSample,
  ReplicationSample,
  SenderSample,
  StandbySample,
} from "../../model/lag/sample.ts";
import { type Lsn, parseLsn } from "../../model/lsn.ts";
import type { PostgresSettings } from "../../model/settings.ts";
import type { Instant, Ms } from "../../model/time.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ReplicationProbe } from "../../ports/replication.ts";
import { lookAtProcess } from "../system/process-look.ts";
import { type SocketQueue, socketQueues } from "../system/socket-queues.ts";
import { REPLICATION_LOOK, type ReplicationRow, type SenderRow } from "./replication-sql.ts";
import { localTarget, Session } from "./session.ts";
import { lookAtWal } from "./wal-look.ts";

export function createReplicationProbe(settings: PostgresSettings, clock: Clock): ReplicationProbe {
  let session: Session | undefined;
  const forget = (): void => {
    session?.destroy();
    session = undefined;
  };
  const asked = async <T>(limitMs: Ms, ask: (session: Session) => Promise<T>) => {
    try {
      if (session?.isUsable !== true) session = await Session.open(localTarget(settings), limitMs);
      return await ask(session);
    } catch {
      // It is down, starting, or full: the next look tries again.
      forget();
      return undefined;
    }
  };
  return {
    sample: (closely, timeoutMs) =>
      asked(timeoutMs, async (open) => {
        const at = clock.now();
        const [row] = await open.query(REPLICATION_LOOK, [closely], timeoutMs);
        return readSample(row?.["look"] as ReplicationRow, { at, closely, settings });
      }),
    wal: (timeoutMs) => asked(timeoutMs, (open) => lookAtWal(open, settings.dataDir, timeoutMs)),
    close: forget,
  };
}

interface Circumstances {
  readonly at: Instant;
  readonly closely: boolean;
  readonly settings: PostgresSettings;
}

async function readSample(
  row: ReplicationRow,
  { at, closely, settings }: Circumstances,
): Promise<ReplicationSample | undefined> {
  const end = position(row.end);
  if (end === undefined) return undefined;
  const { port } = settings;
  const receiverPort = row.standby?.receiver?.port ?? undefined;
  const ports = new Set([port, ...(receiverPort === undefined ? [] : [receiverPort])]);
  const queues = closely ? await socketQueues(ports) : undefined;
  const process = processesOf(row);
  return {
    at,
    version: row.version,
    end,
    senders: row.senders.map((sender) => senderOf(sender, process, queueTo(queues, port, sender))),
    standby: row.standby === null ? undefined : standbyOf(row, row.standby, queues),
  };
}

type FindProcess = (pid: number) => ProcessSample;

const processesOf = ({ processes }: ReplicationRow): FindProcess => {
  const waits = new Map(processes.map((process) => [process.pid, process.waits]));
  return (pid) => processOf(pid, waits.get(pid) ?? "");
};

function processOf(pid: number, waits: string): ProcessSample {
  const seen = lookAtProcess(pid);
  return { pid, waits, state: seen?.state, cpuMs: seen?.cpuMs, starvedMs: seen?.starvedMs };
}

const senderOf = (
  row: SenderRow,
  process: FindProcess,
  sendQueueBytes: number | undefined,
): SenderSample => ({
  name: row.name ?? "",
  address: row.address ?? "local",
  state: row.state ?? "",
  syncState: row.sync ?? "",
  sent: position(row.sent),
  write: position(row.write),
  flush: position(row.flush),
  replay: position(row.replay),
  writeLagMs: row.writeLagMs ?? undefined,
  flushLagMs: row.flushLagMs ?? undefined,
  replayLagMs: row.replayLagMs ?? undefined,
  replyAgeMs: row.replyAgeMs ?? undefined,
  process: process(row.pid),
  sendQueueBytes,
});

function queueTo(
  queues: readonly SocketQueue[] | undefined,
  port: number,
  sender: SenderRow,
): number | undefined {
  const isIts = (queue: SocketQueue): boolean =>
    queue.localPort === port && queue.remotePort === sender.port;
  return queues?.find(isIts)?.sendBytes;
}

function standbyOf(
  row: ReplicationRow,
  standby: NonNullable<ReplicationRow["standby"]>,
  queues: readonly SocketQueue[] | undefined,
): StandbySample {
  const startup = row.processes.find(({ kind }) => kind === "startup");
  const { longestWait, conflicts } = standby;
  return {
    receiver: receiverOf(row, queues),
    replayed: position(standby.replayed),
    isPaused: standby.paused,
    startup: startup === undefined ? undefined : processOf(startup.pid, startup.waits),
    applyDelayMs: standby.applyDelay,
    feedback: standby.feedback,
    longestWaitMs: longestWait < 0 ? undefined : longestWait,
    conflicts: Object.fromEntries(
      Object.entries(conflicts).map(([kind, count]) => [kind, count ?? 0]),
    ),
    queries: (standby.queries ?? []).map((query) => ({
      pid: query.pid,
      user: query.user ?? "?",
      application: query.application ?? "",
      ageMs: query.ageMs,
      blocks: query.blocks,
    })),
  };
}

function receiverOf(
  row: ReplicationRow,
  queues: readonly SocketQueue[] | undefined,
): ReceiverSample | undefined {
  const receiver = row.standby?.receiver;
  if (receiver === undefined || receiver === null) return undefined;
  const unread = queues
    ?.filter(({ remotePort }) => remotePort === receiver.port)
    .map(({ receiveBytes }) => receiveBytes);
  return {
    status: receiver.status ?? "",
    slot: receiver.slot ?? "",
    upstream: `${receiver.host ?? "?"}:${receiver.port ?? "?"}`,
    written: position(receiver.written),
    flushed: position(receiver.flushed),
    latestEnd: position(receiver.latestEnd),
    messageAgeMs: receiver.messageAgeMs ?? undefined,
    process: processesOf(row)(receiver.pid),
    // Another connection to that port may be there; ours is the one with most on it.
    receiveQueueBytes: unread === undefined ? undefined : Math.max(0, ...unread),
  };
}

const position = (text: string | null): Lsn | undefined =>
  text === null ? undefined : parseLsn(text);
