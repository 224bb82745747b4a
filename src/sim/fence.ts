// The dead man's switch as a process of its own: parent of the postmaster, on its own host's clock.

import { HARD_STOP_AFTER_MS, PARTING_MS } from "../model/lease.ts";
import type { Timer } from "../ports/clock.ts";
import type { ServerCommand } from "../ports/fence.ts";
import { type HostClock, wakeAt } from "./clock.ts";
import type { Dice } from "./dice.ts";
import type { Kernel } from "./kernel.ts";
import { SimProcess } from "./process.ts";
import type { SimServer } from "./server.ts";
import { takeDown } from "./take-down.ts";
import type { Armed, TruthBoard } from "./truth.ts";

/** What one agent's connection hears from the fence. */
export interface FenceListener {
  readonly agent: SimProcess;
  onExit(pid: number, how: string): void;
  onFired(term: number): void;
  onSuperseded(): void;
  onLost(): void;
}

/** What a fence has to do with: the machine that it runs on. */
export interface FenceHost {
  readonly name: string;
  readonly kernel: Kernel;
  readonly clock: HostClock;
  readonly dice: Dice;
  readonly truth: TruthBoard;
  readonly server: SimServer;
}

/** Planted faults of the fence itself. */
export interface FenceFlaws {
  readonly groupKillOnly?: boolean;
  readonly forgetsOnAdopt?: boolean;
  readonly partsWithoutAWord?: boolean;
}

const MOST_LATE_MS = 1_000;

export class FenceProcess {
  readonly process: SimProcess;
  readonly #host: FenceHost;
  readonly #flaws: FenceFlaws;
  #generation = 0;
  #listener: FenceListener | undefined;
  #timers: readonly Timer[] = [];
  #childPid: number | undefined;
  #isFiring = false;
  armed: Armed | undefined;
  /** The term under which the server was let run without a deadline (R30). */
  unguarded: number | undefined;
  leaseId: string | undefined;

  constructor(host: FenceHost, flaws: FenceFlaws) {
    this.#host = host;
    this.#flaws = flaws;
    this.process = new SimProcess(host.kernel, `${host.name}/fence`);
    this.process.onDeath(() => this.#died());
  }

  get childPid(): number | undefined {
    return this.#childPid;
  }

  /** A newer agent connection takes over; the older ones can't arm any more (R11). */
  connect(listener: FenceListener): number {
    this.#generation += 1;
    if (this.#listener?.agent !== listener.agent) this.#listener?.onSuperseded();
    this.#listener = listener;
    if (this.#flaws.forgetsOnAdopt === true) this.#clear();
    return this.#generation;
  }

  isCurrent(generation: number): boolean {
    return generation === this.#generation;
  }

  /** The agent's end of the connection is gone; the deadline stays. */
  disconnect(generation: number): void {
    if (this.isCurrent(generation)) this.#listener = undefined;
  }

  /** Answers why not, or undefined when it is armed. */
  arm(armed: Armed): string | undefined {
    if (this.#isFiring) return "the deadline has passed, the server is ending";
    if (this.armed !== undefined && armed.term < this.armed.term)
      return `it is armed for term ${this.armed.term}`;
    if (armed.until <= this.#host.clock.now()) return "that deadline is over already";
    this.#clear();
    this.armed = armed;
    this.unguarded = undefined;
    this.#host.truth.tell({ kind: "fence-armed", host: this.#host.name, ...armed });
    const { kernel, clock } = this.#host;
    const late = this.#lateness();
    this.#timers = [
      wakeAt(kernel, clock, this.process, {
        at: armed.until - PARTING_MS + late,
        run: () => this.#part(armed),
      }),
      wakeAt(kernel, clock, this.process, {
        at: armed.until + late,
        run: () => this.#fire(armed),
      }),
    ];
    return undefined;
  }

  disarm(): string | undefined {
    if (this.#isFiring) return "the deadline has passed";
    this.#clear();
    return undefined;
  }

  /** R30. Answers why not, or undefined when the server runs without a deadline now. */
  unguard(term: number): string | undefined {
    if (this.unguarded === term) return undefined;
    if (this.#isFiring || this.armed?.term !== term || this.armed.until <= this.#host.clock.now())
      return "no deadline of that term stands";
    if (this.#childPid === undefined) return "there is no server";
    this.#clear();
    this.unguarded = term;
    this.#host.truth.tell({ kind: "fence-unguarded", host: this.#host.name, term });
    return undefined;
  }

  /** A loaded machine runs even the highest priority late; the margin of a lease allows for it. */
  #lateness(): number {
    const { dice } = this.#host;
    return dice.chance(0.25) ? dice.between(0, MOST_LATE_MS) : dice.between(0, 3);
  }

  #clear(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers = [];
    this.armed = undefined;
  }

  /** SIGINT to the postmaster shortly before the deadline; a stopped one does not hear it. */
  #part(armed: Armed): void {
    const { server } = this.#host;
    const { run } = server;
    if (this.#isFiring || this.#flaws.partsWithoutAWord === true) return;
    if (run === undefined || run.frozen || run.postmaster !== "ok") return;
    this.#tell(armed, true);
    server.fastStop(run);
  }

  #tell({ term }: Armed, isParting: boolean): void {
    const { truth, name, server } = this.#host;
    const serverRan = server.canAcknowledge();
    truth.tell({ kind: "fence-fired", host: name, term, isParting, serverRan });
  }

  #fire(armed: Armed): void {
    this.#tell(armed, false);
    this.#isFiring = true;
    this.#clear();
    this.kill(HARD_STOP_AFTER_MS, () => {
      this.#isFiring = false;
    });
    this.#listener?.onFired(armed.term);
  }

  /** R1, until nothing is left. */
  kill(graceMs: number, done: (isDown: boolean) => void): void {
    const reachesBackends = this.#flaws.groupKillOnly !== true;
    const { server, kernel } = this.#host;
    takeDown({ server, kernel, process: this.process, graceMs, reachesBackends }, done);
  }

  /** Starts the postmaster as a child. Answers its pid, or why it left at once. */
  startServer(command: ServerCommand): { readonly pid: number } | { readonly why: string } {
    const { server, truth, name, clock } = this.#host;
    const obstacle = server.startObstacle();
    if (obstacle !== undefined) return { why: obstacle };
    const asStandby = command.args.includes("standby");
    if (!asStandby) {
      truth.tell({
        kind: "start-as-primary",
        host: name,
        armed: this.armed,
        hostNow: clock.now(),
        byStranger: false,
      });
    }
    truth.tell({ kind: "server-start", host: name, isHalfRebuilt: server.parts.disk.marked });
    const run = server.start({ asStandby, guarded: true, listens: true });
    this.#childPid = run.pid;
    return { pid: run.pid };
  }

  /** The kernel reports the exit of a child to its parent only. */
  childExited(pid: number, how: string): void {
    if (this.#childPid !== pid) return;
    this.process.deliver(() => {
      if (this.#childPid === pid) this.#childPid = undefined;
      this.unguarded = undefined;
      this.#listener?.onExit(pid, how);
    });
  }

  #died(): void {
    // The parent-death signal: the server gets QUIT (R4).
    if (this.#childPid !== undefined && this.#host.server.run?.pid === this.#childPid)
      this.#host.server.quit();
    this.#listener?.onLost();
  }
}
