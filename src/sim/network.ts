// Who can reach whom, and how long does it take? Links are directed: a cut may be one-way.
import type { Dice } from "./dice.ts";
import type { Kernel } from "./kernel.ts";

export interface NetworkOptions {
  /** One-way latency in milliseconds. */
  readonly latencyMs: number;
  readonly jitterMs: number;
  /** Share of messages that need a retransmission: they arrive late, as TCP has it, not never. */
  readonly loss: number;
}

const RETRANSMIT_MS = 220;
const MOST_WAIT_MS = 2_000;

export class Network {
  readonly #kernel: Kernel;
  readonly #dice: Dice;
  readonly #options: NetworkOptions;
  readonly #cuts = new Map<string, number>();
  readonly #down = new Set<string>();
  readonly #listeners = new Set<() => void>();
  readonly #machines = new Map<string, string>();

  constructor(kernel: Kernel, dice: Dice, options: NetworkOptions) {
    this.#kernel = kernel;
    this.#dice = dice;
    this.#options = options;
  }

  /** An address may name a port: its links are cut apart from its machine's, its power is the machine's. */
  #machineOf(address: string): string {
    let machine = this.#machines.get(address);
    if (machine === undefined) {
      [machine = ""] = address.split(":");
      this.#machines.set(address, machine);
    }
    return machine;
  }

  /** Can a packet go from `from` to `to` now? Loopback always can while the host is up. */
  carries(from: string, to: string): boolean {
    if (
      this.#down.size > 0 &&
      (this.#down.has(this.#machineOf(from)) || this.#down.has(this.#machineOf(to)))
    ) {
      return false;
    }
    return from === to || this.#cuts.size === 0 || !this.#cuts.has(`${from}>${to}`);
  }

  /** Both ways. */
  connects(a: string, b: string): boolean {
    return this.carries(a, b) && this.carries(b, a);
  }

  latency(from: string, to: string): number {
    if (this.#machineOf(from) === this.#machineOf(to)) return 0.05;
    const { latencyMs, jitterMs, loss } = this.#options;
    let ms = latencyMs + this.#dice.real() * jitterMs;
    // As TCP does it: each further loss of the same segment doubles the wait.
    for (let wait = RETRANSMIT_MS; wait < MOST_WAIT_MS && this.#dice.chance(loss); wait *= 2)
      ms += wait;
    return ms;
  }

  /** Cuts one direction. Cuts count: two faults over one link heal when both have healed. */
  cut(from: string, to: string): void {
    const key = `${from}>${to}`;
    this.#cuts.set(key, (this.#cuts.get(key) ?? 0) + 1);
    this.changed();
  }

  mend(from: string, to: string): void {
    const key = `${from}>${to}`;
    const left = (this.#cuts.get(key) ?? 0) - 1;
    if (left > 0) this.#cuts.set(key, left);
    else this.#cuts.delete(key);
    this.changed();
  }

  /** A host without power carries nothing. */
  setPower(host: string, isOn: boolean): void {
    if (isOn) this.#down.delete(host);
    else this.#down.add(host);
    this.changed();
  }

  healAll(): void {
    this.#cuts.clear();
    this.changed();
  }

  /** Calls `listener` after every change of links; answers the way to stop it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /** Delivers after the latency, if the link carries the message when it leaves and when it arrives. */
  message(from: string, to: string, deliver: () => void): void {
    if (!this.carries(from, to)) return;
    this.#kernel.after(this.latency(from, to), () => {
      if (this.carries(from, to)) deliver();
    });
  }
}
