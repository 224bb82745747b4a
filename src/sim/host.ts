// One simulated machine: power, clock, disk, server, fence, and whichever agent runs on it now.
import type { NodeSettings } from "../model/settings.ts";
import type { FenceStatus } from "../ports/fence.ts";
import { HostClock } from "./clock.ts";
import type { Dice } from "./dice.ts";
import { Disk } from "./disk.ts";
import { Disturbances } from "./disturbances.ts";
import { type FenceFlaws, FenceProcess } from "./fence.ts";
import type { Kernel } from "./kernel.ts";
import type { Network } from "./network.ts";
import type { SimProcess } from "./process.ts";
import type { ServerProfile } from "./run.ts";
import { SimServer } from "./server.ts";
import type { StreamWorld } from "./streaming.ts";
import type { TruthBoard } from "./truth.ts";
import type { WalTree } from "./wal.ts";

export interface HostParts {
  readonly kernel: Kernel;
  readonly dice: Dice;
  readonly truth: TruthBoard;
  readonly tree: WalTree;
  readonly network: Network;
  readonly world: StreamWorld;
  readonly name: string;
  readonly settings: NodeSettings;
  readonly profile: ServerProfile;
  readonly clockRate: number;
  readonly fenceFlaws: FenceFlaws;
}

export class SimHost {
  readonly name: string;
  readonly parts: HostParts;
  readonly clock: HostClock;
  readonly disk = new Disk();
  readonly server: SimServer;
  fence: FenceProcess | undefined;
  agent: SimProcess | undefined;
  watchdog: FenceStatus["watchdog"] = "off";
  isUp = true;
  /** What its pre_promote command answers. */
  refusesPromotion = false;
  /** False in a suspend: nothing runs and nothing can be started. */
  isAwake = true;
  /** Until when two writers are this host's stated limit: agent and fence frozen together, or a wake-up. */
  excusedUntil = Number.NEGATIVE_INFINITY;
  readonly #disturbances = { agent: new Disturbances(), server: new Disturbances() };
  #nextPid: number;

  constructor(parts: HostParts) {
    this.parts = parts;
    this.name = parts.name;
    this.#nextPid = 300 + parts.dice.integer(200);
    this.clock = new HostClock(
      parts.kernel,
      parts.clockRate,
      60_000 + parts.dice.integer(1_000_000),
    );
    this.server = new SimServer(
      {
        kernel: parts.kernel,
        dice: parts.dice.fork("server"),
        truth: parts.truth,
        tree: parts.tree,
        disk: this.disk,
        hostName: this.name,
        hostNow: () => this.clock.now(),
        nextPid: () => this.#nextPid++,
      },
      parts.profile,
    );
    this.server.onExit((pid, how) => {
      parts.truth.tell({ kind: "event", host: this.name, text: `server ${pid} ended: ${how}` });
      this.fence?.childExited(pid, how);
    });
  }

  get kernel(): Kernel {
    return this.parts.kernel;
  }
  get truth(): TruthBoard {
    return this.parts.truth;
  }
  get network(): Network {
    return this.parts.network;
  }
  get world(): StreamWorld {
    return this.parts.world;
  }
  get dice(): Dice {
    return this.parts.dice;
  }

  /** A fault begins (1) or ends (-1). What disturbs the agent or the host also disturbs the server. */
  disturb(part: "agent" | "server", by: 1 | -1): void {
    this.#disturbances.server.change(by, this.kernel.now);
    if (part === "agent") this.#disturbances.agent.change(by, this.kernel.now);
  }

  /** "agent": host, agent, fence and the way to the store were well; "server": so was the server. */
  isUndisturbedSince(time: number, part: "agent" | "server"): boolean {
    return this.#disturbances[part].isCalmSince(time);
  }

  spawnFence(): FenceProcess {
    this.fence = new FenceProcess(this, this.parts.fenceFlaws);
    return this.fence;
  }

  /** A unit file or a person starts the server with the configuration on disk: it listens nowhere (R17). */
  startByStranger(): void {
    if (this.server.startObstacle() !== undefined) return;
    const asStandby = this.disk.data?.standbySignal === true;
    this.truth.tell({ kind: "event", host: this.name, text: "a stranger starts the server" });
    this.server.start({ asStandby, guarded: false, listens: false });
  }

  /** The plug is pulled: every process is gone at once, only flushed bytes remain. */
  powerOff(): void {
    if (!this.isUp) return;
    this.isUp = false;
    this.agent?.kill();
    this.agent = undefined;
    this.server.powerLoss();
    this.fence?.process.kill();
    this.fence = undefined;
    this.network.setPower(this.name, false);
  }

  /** The machine boots: empty of processes, with small pids again. Starting the agent is the caller's. */
  powerOn(): void {
    if (this.isUp) return;
    this.isUp = true;
    this.#nextPid = 300 + this.dice.integer(200);
    this.clock.restart(this.dice.integer(50_000));
    this.network.setPower(this.name, true);
  }
}
