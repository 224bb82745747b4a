// One simulated PostgreSQL server: a postmaster, its backends, and the WAL they write.
//
// Life: down → starting → standby → promoting → primary → stopping → ended (control says "shut down", walsenders
// remain) → down. A dead postmaster may leave backends that go on committing.
import type { Dice } from "./dice.ts";
import { type DataDirectory, type Disk, nextTimeline } from "./disk.ts";
import type { Kernel } from "./kernel.ts";
import type { Run, ServerProfile, StartOptions } from "./run.ts";
import { beginSyncRep } from "./sync-rep.ts";
import type { TruthBoard } from "./truth.ts";
import type { WalTree } from "./wal.ts";

export interface ServerParts {
  readonly kernel: Kernel;
  readonly dice: Dice;
  readonly truth: TruthBoard;
  readonly tree: WalTree;
  readonly disk: Disk;
  readonly hostName: string;
  readonly hostNow: () => number;
  readonly nextPid: () => number;
}

const RECORD = 120;
/** Now and then a backend does not hear SIGQUIT; the postmaster itself waits five seconds for it. */
const STUBBORN_SHARE = 0.1;
const STUBBORN_MS = 5_000;

export class SimServer {
  readonly parts: ServerParts;
  profile: ServerProfile;
  run: Run | undefined;
  #exitListeners: ((pid: number, how: string) => void)[] = [];
  #phaseListeners: (() => void)[] = [];

  constructor(parts: ServerParts, profile: ServerProfile) {
    this.parts = parts;
    this.profile = profile;
  }

  get name(): string {
    return this.parts.hostName;
  }
  get data(): DataDirectory | undefined {
    return this.parts.disk.data;
  }

  onExit(listener: (pid: number, how: string) => void): void {
    this.#exitListeners.push(listener);
  }
  /** Calls `listener` at every change of phase, until the server is gone; waiting verbs use it. */
  onPhase(listener: () => void): void {
    this.#phaseListeners.push(listener);
  }
  forgetPhase(listener: () => void): void {
    this.#phaseListeners = this.#phaseListeners.filter((l) => l !== listener);
  }
  phaseChanged(): void {
    this.updateWritable();
    for (const listener of [...this.#phaseListeners]) listener();
  }

  /** Runs `effect` after `ms` if this run still lives; a frozen server does it after it is continued. */
  during(run: Run, ms: number, effect: () => void): void {
    this.parts.kernel.after(ms, () => {
      if (this.run !== run) return;
      // What a freeze has interrupted goes on for a while after it.
      if (run.frozen)
        run.held.push(() => this.during(run, this.parts.dice.between(15, 60), effect));
      else effect();
    });
  }

  /** Why a start would fail at once, or undefined. */
  startObstacle(): string | undefined {
    if (this.data === undefined) return "no data directory";
    if (this.run !== undefined) {
      return this.run.postmaster === "dead"
        ? "pre-existing shared memory block is still in use"
        : "already running";
    }
    if (this.parts.disk.full) return "No space left on device";
    return undefined;
  }

  /** Starts the postmaster. The caller has checked `startObstacle`. */
  start(options: StartOptions): Run {
    const data = this.data;
    if (data === undefined) throw new Error("no data to start");
    const { dice } = this.parts;
    const run: Run = {
      pid: options.resetOf?.pid ?? this.parts.nextPid(),
      resets: options.resetOf === undefined ? 0 : options.resetOf.resets + 1,
      failing: false,
      startedAt: options.resetOf?.startedAt ?? this.parts.hostNow(),
      guarded: options.guarded,
      listens: options.listens,
      phase: "starting",
      postmaster: "ok",
      hungSince: undefined,
      frozen: false,
      held: [],
      quitPending: false,
      inserted: data.end,
      unflushed: [],
      replayed: Math.max(
        data.end - dice.integer(20_000),
        Math.min(data.end, data.control.checkpoint),
      ),
      exhausted: false,
      longBackends: 0,
      receiver: undefined,
      senders: new Map(),
      syncNames: { kind: "unmanaged" },
      makesWait: false,
      syncWaits: [],
      wasWritable: false,
    };
    this.run = run;
    beginSyncRep(run, data.syncNames);
    if (data.corrupt && options.listens) {
      const timeline = data.branch.timeline;
      this.parts.truth.tell({ kind: "wrong-rows", host: this.name, upstream: "itself", timeline });
    }
    for (const n of data.historyFiles) if (n > data.branch.timeline) data.historyFiles.delete(n);
    const asStandby = options.asStandby || data.standbySignal;
    const wasClean = data.control.state.startsWith("shut down");
    // Crash recovery syncs the whole directory first, its WAL included: what a dead process had written is durable then.
    if (!wasClean) data.flushed = data.end;
    const ms =
      this.profile.startMs +
      this.parts.disk.slowMs +
      (wasClean ? 0 : dice.between(0, this.profile.startMs));
    const ownRecovery = wasClean ? "starting up" : "in crash recovery";
    data.control.state = asStandby ? "in archive recovery" : ownRecovery;
    this.during(run, ms, () => (asStandby ? this.#openStandby(run) : this.#openPrimary(run, data)));
    return run;
  }

  #openStandby(run: Run): void {
    const data = this.data;
    if (data === undefined || run.phase !== "starting") return;
    if (data.consistentAt !== undefined) {
      // Pages come from the source's future: connections are refused until replay has reached it.
      this.during(run, 200, () => this.#openStandby(run));
      return;
    }
    run.phase = "standby";
    this.during(run, this.profile.replayMs, () => {
      run.replayed = Math.max(run.replayed, data.end);
      run.exhausted = true;
    });
    this.phaseChanged();
  }

  #openPrimary(run: Run, data: DataDirectory): void {
    if (run.phase !== "starting") return;
    if (data.branch.writer !== data.id || data.branch.tip > data.end) {
      // Somebody else wrote on from here: from now on the same number means two histories.
      data.branch = this.parts.tree.grow(data.branch.timeline, data.branch, data.end, data.id);
    }
    data.control.state = "in production";
    run.replayed = data.end;
    run.exhausted = true;
    run.inserted = data.end;
    run.phase = "primary";
    this.insert(run, RECORD, () => this.#checkpointed(data));
    this.phaseChanged();
  }

  #checkpointed(data: DataDirectory): void {
    data.control.checkpoint = data.end - RECORD;
    data.control.checkpointEnd = data.end;
    data.control.timeline = data.branch.timeline;
  }

  /** Writes a record of `bytes` and calls `durable` when it is flushed. */
  insert(run: Run, bytes: number, durable: (end: number) => void): void {
    const data = this.data;
    if (data === undefined) return;
    if (this.parts.disk.full) {
      this.vanish("PANIC: no space left on device");
      return;
    }
    run.inserted += bytes;
    const end = run.inserted;
    data.branch.tip = end;
    run.unflushed.push(end);
    this.during(run, this.profile.flushMs + this.parts.disk.slowMs, () => {
      run.unflushed = run.unflushed.filter((e) => e > end);
      data.end = Math.max(data.end, end);
      data.flushed = Math.max(data.flushed, end);
      run.replayed = data.end;
      durable(end);
      for (const sender of run.senders.values()) sender.pump();
    });
  }

  /** Can a client get an acknowledgement from this server? Judged from outside, whatever the agent thinks. */
  canAcknowledge(): boolean {
    const run = this.run;
    return run !== undefined && run.listens && run.phase === "primary" && !run.failing;
  }

  /** Can a new connection be made, and does it get an answer? */
  get accepts(): boolean {
    const run = this.run;
    return (
      run !== undefined &&
      run.listens &&
      !run.frozen &&
      !run.failing &&
      run.postmaster === "ok" &&
      run.phase !== "starting" &&
      run.phase !== "stopping" &&
      run.phase !== "ended"
    );
  }

  updateWritable(why = ""): void {
    const run = this.run;
    if (run === undefined) return;
    const on = this.canAcknowledge();
    if (on === run.wasWritable) return;
    run.wasWritable = on;
    this.parts.truth.tell({ kind: "writable", host: this.name, on, why });
  }

  /** The signal of pg_promote has arrived. */
  promote(run: Run, term: number, asked: number): void {
    const data = this.data;
    if (data === undefined || run.phase !== "standby") return;
    run.phase = "promoting";
    run.receiver?.close();
    run.receiver = undefined;
    this.during(run, this.profile.promoteMs + this.parts.disk.slowMs, () => {
      if (run.phase !== "promoting") return;
      const timeline = nextTimeline(data);
      data.branch = this.parts.tree.grow(timeline, data.branch, data.end, data.id);
      data.historyFiles.add(timeline);
      data.standbySignal = false;
      data.control.state = "in production";
      data.control.timeline = timeline;
      run.exhausted = true;
      run.inserted = data.end;
      run.replayed = data.end;
      run.phase = "primary";
      this.parts.truth.tell({
        kind: "promoted",
        host: this.name,
        term,
        branch: data.branch,
        asked,
      });
      this.insert(run, RECORD, () => undefined);
      this.during(run, 1_500, () => this.#checkpointed(data));
      this.phaseChanged();
    });
  }

  /** Fast stop: no more writes, a shutdown checkpoint, then wait for the walsenders. */
  fastStop(run: Run): void {
    const data = this.data;
    if (data === undefined || run.phase === "stopping" || run.phase === "ended") return;
    const wasPrimary = run.phase === "primary";
    run.phase = "stopping";
    run.receiver?.close();
    run.receiver = undefined;
    this.phaseChanged();
    this.during(run, this.profile.stopMs + this.parts.disk.slowMs, () => {
      if (!wasPrimary) {
        data.control.state = "shut down in recovery";
        data.control.timeline = data.branch.timeline;
        this.vanish("exit 0");
        return;
      }
      this.insert(run, RECORD, () => {
        this.#checkpointed(data);
        data.control.state = "shut down";
        run.phase = "ended";
        this.phaseChanged();
        this.leaveWhenSent(run);
      });
    });
  }

  /** A stopped server stays until every walsender has confirmed the end, or was given up. */
  leaveWhenSent(run: Run): void {
    const data = this.data;
    if (this.run !== run || run.phase !== "ended" || data === undefined) return;
    const waits = [...run.senders.values()].some((s) => s.reported() < data.end);
    if (!waits) this.vanish("exit 0");
    else this.during(run, 20, () => this.leaveWhenSent(run));
  }

  /** The processes are gone, in good order or not: what was written survives, what was only inserted may not. */
  vanish(how: string): void {
    const run = this.run;
    const data = this.data;
    if (run === undefined) return;
    if (data !== undefined && run.unflushed.length > 0) {
      const kept = run.unflushed[this.parts.dice.integer(run.unflushed.length + 1) - 1];
      data.end = Math.max(data.end, kept ?? data.end);
      data.flushed = data.end;
    }
    if (data !== undefined && data.branch.writer === data.id) data.branch.tip = data.end;
    const pid = run.pid;
    const listenersKnow = run.postmaster === "dead";
    if (run.wasWritable)
      this.parts.truth.tell({ kind: "writable", host: this.name, on: false, why: how });
    this.run = undefined;
    run.receiver?.close();
    for (const sender of [...run.senders.values()]) sender.close();
    if (!listenersKnow) for (const listener of this.#exitListeners) listener(pid, how);
    for (const listener of [...this.#phaseListeners]) listener();
  }

  /** SIGQUIT to the postmaster. A stopped one does not hear it before it is continued. */
  quit(): void {
    const run = this.run;
    if (run === undefined || run.postmaster === "dead") return;
    if (run.postmaster === "stopped") {
      run.quitPending = true;
      return;
    }
    const { dice } = this.parts;
    const ms = dice.chance(STUBBORN_SHARE) ? STUBBORN_MS : dice.between(5, 12);
    this.during(run, ms, () => this.vanish("immediate shutdown"));
  }

  /** SIGKILL to the postmaster alone: short statements are cut within milliseconds, long ones go on. */
  killPostmaster(): void {
    const run = this.run;
    if (run === undefined || run.postmaster === "dead") return;
    const pid = run.pid;
    run.postmaster = "dead";
    run.receiver?.close();
    run.receiver = undefined;
    for (const sender of [...run.senders.values()]) sender.close();
    for (const listener of this.#exitListeners) listener(pid, "SIGKILL");
    this.phaseChanged();
    const ends =
      run.longBackends > 0
        ? this.parts.dice.between(3_000, 30_000)
        : this.parts.dice.between(7, 15);
    this.during(run, ends, () => this.vanish("orphans gone"));
  }

  /** SIGKILL to each process by its own pid; reaches stopped ones too. */
  killEveryProcess(): void {
    const run = this.run;
    if (run === undefined) return;
    this.parts.kernel.after(this.parts.dice.between(0.5, 4), () => {
      if (this.run === run) this.vanish("SIGKILL to every process");
    });
  }

  setFrozen(frozen: boolean): void {
    const run = this.run;
    if (run === undefined || run.frozen === frozen) return;
    run.frozen = frozen;
    if (run.postmaster !== "dead") run.postmaster = frozen ? "stopped" : "ok";
    run.hungSince = frozen ? this.parts.kernel.now : undefined;
    if (frozen) return;
    const held = run.held;
    run.held = [];
    for (const effect of held) effect();
    this.#hearQuit(run);
  }

  #hearQuit(run: Run): void {
    if (!run.quitPending || run.postmaster !== "ok") return;
    run.quitPending = false;
    this.quit();
  }

  /** The postmaster alone hangs or is stopped: backends go on, new connections get no byte. */
  setPostmaster(state: "ok" | "hung" | "stopped"): void {
    const run = this.run;
    if (run === undefined || run.postmaster === "dead") return;
    run.postmaster = state;
    run.hungSince = state === "ok" ? undefined : this.parts.kernel.now;
    this.#hearQuit(run);
  }

  /** Power loss: only what was flushed remains, plus perhaps a torn tail that no reader takes for a record. */
  powerLoss(): void {
    const run = this.run;
    const data = this.data;
    if (run !== undefined) {
      run.unflushed = [];
      this.vanish("power loss");
    }
    if (data !== undefined) {
      data.end = data.flushed;
      if (data.branch.writer === data.id) data.branch.tip = data.end;
    }
  }
}
