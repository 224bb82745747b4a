// One look at a simulated server, as the real adapter would report it.

import { known, unknown } from "../model/known.ts";
import { lsn } from "../model/lsn.ts";
import type {
  Accepting,
  ControlData,
  LocalServer,
  ServerProcess,
  SqlState,
  WalReceiver,
} from "../model/server.ts";
import { printSyncNames } from "../model/sync.ts";
import { instant } from "../model/time.ts";
import type { ServerPlan } from "../ports/postgres.ts";
import type { DataDirectory } from "./disk.ts";
import type { SimHost } from "./host.ts";
import { SIM_XMIN } from "./postgres-slots.ts";
import type { Run } from "./run.ts";
import { priorityOf } from "./sync-rep.ts";

const HUNG_AFTER_MS = 5_000;
const STOPPED_AFTER_MS = 2_000;
const LONG_AGO = "2026-11-01 00:00:00+00";

/** R39: three silent connections over five seconds, or the kernel's word for two. */
export class HungProof {
  #silent = 0;
  judge(run: Run, now: number): Accepting {
    if (run.phase === "starting") return "starting";
    if (run.hungSince === undefined || run.postmaster === "ok") {
      this.#silent = 0;
      return run.failing ? "failing" : "yes";
    }
    this.#silent += 1;
    const ms = now - run.hungSince;
    if (run.postmaster === "stopped") return ms >= STOPPED_AFTER_MS ? "stopped" : "yes";
    return ms >= HUNG_AFTER_MS && this.#silent >= 3 ? "hung" : "yes";
  }
}

/** Everything that the agent can know about its server at one look. */
export function observeServer(host: SimHost, plan: ServerPlan, proof: HungProof): LocalServer {
  const { disk, server } = host;
  const run = server.run;
  const data = disk.data;
  return {
    directory: disk.directoryState(),
    control: data === undefined ? undefined : controlOf(data),
    process: processOf(host, proof),
    sql: sqlOf(host, run, data),
    lineage: data === undefined ? [] : disk.recordedLineage(),
    standbySignal: data?.standbySignal ?? false,
    settingsStale: data !== undefined && data.settings !== settingsText(plan),
    syncNames: data?.syncNames ?? { kind: "unmanaged" },
    binariesChanged: false,
    diskFreeBytes: disk.full || disk.tight ? 0 : 50_000_000_000,
    ownSlots: [...disk.ownSlots],
    diskBytes: 100_000_000_000,
  };
}

function controlOf(data: DataDirectory): ControlData {
  const { state, timeline, checkpoint, checkpointEnd } = data.control;
  return {
    systemId: data.systemId,
    catalogVersion: 202209061,
    state,
    timeline,
    checkpointLsn: lsn(Math.floor(checkpoint)),
    checkpointEnd: checkpointEnd === undefined ? undefined : lsn(Math.floor(checkpointEnd)),
  };
}

function processOf(host: SimHost, proof: HungProof): ServerProcess {
  const run = host.server.run;
  if (run === undefined) return { kind: "down" };
  if (run.postmaster === "dead") return { kind: "orphans", count: run.longBackends + 1 };
  return {
    kind: "running",
    pid: run.pid,
    accepting: proof.judge(run, host.kernel.now),
    guarded: run.guarded,
    startedAt: instant(run.startedAt),
  };
}

function sqlOf(
  host: SimHost,
  run: Run | undefined,
  data: DataDirectory | undefined,
): LocalServer["sql"] {
  const at = instant(host.clock.now());
  if (run === undefined || data === undefined) return unknown("no server", at);
  if (run.frozen) return unknown("no answer in time", at);
  if (run.postmaster === "dead") return unknown("no server", at);
  if (run.failing) return unknown("XX000 could not open a file", at);
  if (!run.listens) return unknown("connection refused", at);
  if (run.phase === "starting" || run.phase === "stopping" || run.phase === "ended") {
    return unknown(`the server is ${run.phase}`, at);
  }
  return known(answer(run, data), at);
}

function answer(run: Run, data: DataDirectory): SqlState {
  const inRecovery = run.phase !== "primary";
  const flushed = run.receiver?.flushed();
  const position = inRecovery ? Math.max(run.replayed, flushed ?? 0) : data.flushed;
  return {
    version: 150_020,
    inRecovery,
    walLevel: "logical",
    timeline: data.branch.timeline,
    position: lsn(Math.floor(position)),
    receivedLsn: flushed === undefined ? undefined : lsn(Math.floor(data.end)),
    replayedLsn: inRecovery ? lsn(Math.floor(run.replayed)) : undefined,
    replayedAtText: inRecovery ? LONG_AGO : undefined,
    exhausted: run.exhausted,
    replayPaused: false,
    walReceiver: receiverOf(run, data),
    senders: [...run.senders.values()].map((s) => {
      const at = lsn(Math.floor(s.reported()));
      return {
        name: s.to,
        state: "streaming",
        sentLsn: at,
        writeLsn: at,
        flushLsn: at,
        replayLsn: at,
        syncState: priorityOf(run.syncNames, s.to) === 0 ? "async" : "sync",
        syncPriority: priorityOf(s.syncNames, s.to),
        clientAddress: s.to,
        user: "replicator",
      };
    }),
    slots: [...data.slots.values()].map((slot) => ({
      name: slot.name,
      kind: slot.logical === undefined ? "physical" : "logical",
      active: [...run.senders.values()].some((s) => s.slot === slot.name),
      restartLsn: lsn(Math.floor(slot.restart)),
      walStatus: "reserved",
      temporary: false,
      catalogXmin: slot.logical && SIM_XMIN,
      logical: slot.logical && { ...slot.logical, confirmedLsn: lsn(Math.floor(slot.restart)) },
    })),
    slotLimitBytes: 20_000_000_000,
    pendingRestart: [],
    startedAtText: `run ${run.pid}`,
    sharedSinceText: `run ${run.pid}, reset ${run.resets}`,
    syncNames: printSyncNames(run.syncNames) ?? "",
    upstream:
      run.receiver === undefined
        ? undefined
        : `${run.receiver.upstream.host}:${run.receiver.upstream.port}`,
  };
}

function receiverOf(run: Run, data: DataDirectory): WalReceiver | undefined {
  const receiver = run.receiver;
  if (receiver === undefined || !receiver.isStreaming()) return undefined;
  return {
    status: "streaming",
    host: receiver.upstream.host,
    port: receiver.upstream.port,
    slot: receiver.upstream.slot ?? "",
    flushedLsn: lsn(Math.floor(data.flushed)),
    timeline: data.branch.timeline,
  };
}

const texts = new WeakMap<ServerPlan, string>();

/** What stands in the configuration files for a plan. */
export function settingsText(plan: ServerPlan): string {
  const before = texts.get(plan);
  if (before !== undefined) return before;
  const text = JSON.stringify([plan.parameters, plan.pgHba, plan.members]);
  texts.set(plan, text);
  return text;
}
