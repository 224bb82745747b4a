// One operating-system process: it can be paused at any await, resumed, and killed.
//
// Whatever reaches a process goes through `deliver`; whatever leaves it goes through `send`. A paused process
// receives nothing and sends nothing; on resume all of it happens in order, late.
import type { Kernel } from "./kernel.ts";

export class SimProcess {
  readonly name: string;
  readonly #kernel: Kernel;
  #state: "running" | "paused" | "dead" = "running";
  #held: (() => void)[] = [];
  #stallAtSend: number | undefined;
  readonly #onDeath: (() => void)[] = [];
  readonly #onPause: (() => void)[] = [];

  constructor(kernel: Kernel, name: string) {
    this.#kernel = kernel;
    this.name = name;
  }

  get isRunning(): boolean {
    return this.#state === "running";
  }
  get isAlive(): boolean {
    return this.#state !== "dead";
  }

  /** Runs `run` inside the process: now, on resume, or never. */
  deliver(run: () => void): void {
    if (this.#state === "dead") return;
    if (this.#state === "paused") {
      this.#held.push(run);
      return;
    }
    run();
    this.#kernel.touch();
  }

  /** A request leaves the process. Between the decision to send and the sending, the process may be stopped. */
  send(run: () => void): void {
    if (this.#state === "running" && this.#stallAtSend !== undefined) {
      const ms = this.#stallAtSend;
      this.#stallAtSend = undefined;
      this.pause();
      this.#kernel.after(ms, () => this.resume());
    }
    if (this.#state === "running") run();
    else if (this.#state === "paused") this.#held.push(run);
  }

  /** The next request that this process sends is held back for `ms`, with the whole process. */
  stallAtNextSend(ms: number): void {
    this.#stallAtSend = ms;
  }

  pause(): void {
    if (this.#state !== "running") return;
    this.#state = "paused";
    for (const run of this.#onPause) run();
  }

  resume(): void {
    if (this.#state !== "paused") return;
    this.#state = "running";
    const held = this.#held;
    this.#held = [];
    for (const run of held) this.#kernel.after(0, () => this.deliver(run));
  }

  kill(): void {
    if (this.#state === "dead") return;
    this.#state = "dead";
    this.#held = [];
    for (const run of this.#onDeath) run();
  }

  /** Calls `run` when the process is paused: who talks to it will notice its silence. */
  onPause(run: () => void): void {
    this.#onPause.push(run);
  }

  /** Calls `run` when the process dies: what hangs on it (children, connections) learns of it. */
  onDeath(run: () => void): void {
    this.#onDeath.push(run);
  }
}
