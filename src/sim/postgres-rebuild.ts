// pg_basebackup and pg_rewind in the simulation: they take time, need the source, and can be interrupted.
import { AppError, type ErrorCode } from "../model/error.ts";
import type { Lineage } from "../model/timeline.ts";
import type { Upstream } from "../ports/postgres.ts";
import { ask } from "./ask.ts";
import { copyOf, type Disk } from "./disk.ts";
import type { SimHost } from "./host.ts";
import type { SimProcess } from "./process.ts";
import type { SimServer } from "./server.ts";
import { branchAt, commonByNumbers, visibleHistory } from "./wal.ts";

export interface RebuildRequest {
  readonly host: SimHost;
  readonly agent: SimProcess;
  readonly from: Upstream;
  readonly lineage: Lineage;
  readonly signal: AbortSignal;
  /** A planted fault: the old directory goes first. */
  readonly inPlace?: boolean;
}

/** How often a running copy looks at its source; a source that goes away ends the copy. */
const LOOK_MS = 500;

interface Work {
  readonly attempt: string;
  readonly code: ErrorCode;
  readonly ms: number;
  /** Before the first byte; throws when it can't begin. */
  readonly begin: (source: SimServer) => void;
  readonly finish: (source: SimServer) => void;
  /** After a failure that the agent lived to see. */
  readonly giveUp: () => void;
}

/** pg_basebackup into a sibling, renamed into place; the marker stays until the end (R32). */
export function clone(request: RebuildRequest): Promise<void> {
  const { host, lineage } = request;
  const { disk } = host;
  const wasMarked = disk.marked;
  return rebuild(request, {
    attempt: "cloning",
    code: "PG_CLONE_FAILED",
    ms: host.server.profile.cloneMs + disk.slowMs * 10,
    giveUp: () => {
      disk.marked = wasMarked; // the old directory is as it was, half rewound if it was
    },
    begin: () => {
      disk.marked = true;
      if (request.inPlace === true) removeOld(host, false);
    },
    finish: (source) => {
      const theirs = source.data;
      if (theirs === undefined)
        throw new AppError("PG_CLONE_FAILED", "cloning", "the source has no data");
      const copy = copyOf(theirs, host.parts.tree.nextDirectory());
      copy.end = theirs.flushed;
      copy.branch = branchAt(theirs.branch, copy.end);
      copy.standbySignal = true;
      copy.settings = "";
      copy.control.state = "in archive recovery";
      removeOld(host, true);
      disk.data = copy;
      disk.record(lineage);
      disk.marked = false;
    },
  });
}

function removeOld(host: SimHost, hadReplacement: boolean): void {
  const { data } = host.disk;
  if (data === undefined) return;
  const { systemId } = data;
  host.truth.tell({ kind: "data-removed", host: host.name, systemId, hadReplacement });
  host.disk.data = undefined;
}

/** pg_rewind: looks at timeline numbers only, so equal numbers need "no rewind". */
export function rewind(request: RebuildRequest): Promise<void> {
  const { host, lineage } = request;
  const { disk } = host;
  return rebuild(request, {
    attempt: "rewinding",
    code: "PG_REWIND_FAILED",
    ms: host.server.profile.rewindMs + disk.slowMs * 3,
    giveUp: () => undefined,
    begin: (source) => {
      const obstacle = rewindObstacle(disk, lineage);
      if (obstacle !== undefined) throw new AppError("PG_REWIND_FAILED", "rewinding", obstacle);
      const mine = disk.data;
      const theirs = source.data;
      if (mine === undefined || theirs === undefined)
        throw new AppError("PG_REWIND_FAILED", "rewinding", "no data");
      const common = commonByNumbers(mine.branch, theirs.branch);
      if (common === undefined || common < theirs.walFloor || common < mine.walFloor) {
        throw new AppError(
          "PG_REWIND_FAILED",
          "rewinding",
          "no common ancestor within the WAL kept",
        );
      }
      disk.marked = true;
      if (mine.branch.timeline !== theirs.branch.timeline) mine.corrupt = true;
    },
    finish: (source) => {
      const mine = disk.data;
      const theirs = source.data;
      if (mine === undefined || theirs === undefined)
        throw new AppError("PG_REWIND_FAILED", "rewinding", "no data");
      if (mine.branch.timeline !== theirs.branch.timeline) {
        const common = commonByNumbers(mine.branch, theirs.branch) ?? 0;
        // Files that it does not take from the source it removes, and slots are such files.
        mine.slots.clear();
        mine.end = Math.max(common, theirs.flushed - host.dice.integer(20_000));
        mine.flushed = mine.end;
        mine.branch = branchAt(theirs.branch, mine.end);
        mine.consistentAt = { branch: theirs.branch, at: theirs.flushed };
        for (const line of visibleHistory(theirs.branch))
          if (line.timeline > 1) mine.historyFiles.add(line.timeline);
        mine.control = {
          ...theirs.control,
          state: "in archive recovery",
          timeline: mine.branch.timeline,
        };
        mine.corrupt = false;
      }
      mine.standbySignal = true;
      disk.record(lineage);
      disk.marked = false;
    },
  });
}

/** What makes a rewind impossible, or worse: apparently successful (R19, R32). */
function rewindObstacle(disk: Disk, lineage: Lineage): string | undefined {
  if (disk.marked) return "an earlier rebuild was interrupted, only a clone helps";
  if (disk.data?.control.state === "in archive recovery")
    return "a standby that crashed is no target";
  const twin = disk.lineage.find((mine) =>
    lineage.some((theirs) => theirs.timeline === mine.timeline && theirs.term !== mine.term),
  );
  return twin && `timeline ${twin.timeline} of this member was begun by another leader`;
}

function rebuild(request: RebuildRequest, work: Work): Promise<void> {
  const { host, agent, from, signal } = request;
  return ask<void>({
    process: agent,
    attempt: work.attempt,
    signal,
    begin: (reply) => {
      let isOver = false;
      const fail = (why: string): void => {
        isOver = true;
        work.giveUp();
        reply.fail(new AppError(work.code, work.attempt, why));
      };
      const stop = (): void => {
        isOver = true;
      };
      agent.onDeath(stop); // the tool is the agent's child and goes with it
      const endsAt = host.kernel.now + work.ms;
      const look = (): void => {
        if (isOver) return;
        const obstacle = obstacleOf(host, from);
        const source = host.world.serverAt(from.host);
        if (obstacle !== undefined || source === undefined) {
          fail(obstacle ?? "no such host");
          return;
        }
        if (host.kernel.now < endsAt) {
          host.kernel.after(Math.min(LOOK_MS, endsAt - host.kernel.now), look);
          return;
        }
        isOver = true;
        work.finish(source);
        reply.ok();
      };
      const source = host.world.serverAt(from.host);
      const obstacle = obstacleOf(host, from);
      if (source === undefined || obstacle !== undefined) {
        fail(obstacle ?? "no such host");
        return stop;
      }
      try {
        work.begin(source);
      } catch (error) {
        fail(error instanceof AppError ? error.why : "failed");
        return stop;
      }
      look();
      return stop;
    },
  });
}

function obstacleOf(host: SimHost, from: Upstream): string | undefined {
  const source = host.world.serverAt(from.host);
  if (!host.isUp) return "no power";
  if (host.disk.full) return "no space left on device";
  if (host.server.run !== undefined) return "the server runs";
  if (source === undefined || !host.network.connects(host.name, from.host))
    return "the source cannot be reached";
  if (!source.accepts) return "the source accepts no connection";
  return undefined;
}
