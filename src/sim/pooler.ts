// A simulated pooler: it knows where it leads and whether it is paused, and it outlives the agent that commands it.

import type { RoutePlan, Target } from "../model/route.ts";
import type { Held, Pooler, PoolerLook } from "../ports/pooler.ts";
import { askAfter } from "./ask.ts";
import type { Kernel, Ticket } from "./kernel.ts";
import type { SimProcess } from "./process.ts";
import type { TruthBoard } from "./truth.ts";

/** What a pooler stands in. */
export interface PoolerStage {
  readonly kernel: Kernel;
  readonly truth: TruthBoard;
  readonly flaws: { readonly hasNoWatchdog?: boolean };
}

const COMMAND_MS = 2;
const RELOAD_MS = 8;
/** The name of the database that leads to the primary. */
const WRITES = "app";

export class SimPooler {
  readonly #stage: PoolerStage;
  readonly #name: string;
  #term = 0;
  #write: Target | undefined;
  /** A client that keeps its transaction open. */
  isBusy = false;
  #end: Ticket | undefined;
  #isPaused = false;

  constructor(stage: PoolerStage, name: string) {
    this.#stage = stage;
    this.#name = name;
  }

  /** As the agent that runs in this process commands it. */
  port(process: SimProcess): Pooler {
    const { kernel } = this.#stage;
    const command = <T>(ms: number, signal: AbortSignal, work: () => T): Promise<T> =>
      askAfter(kernel, { process, attempt: "telling the pooler", signal, ms, work });
    return {
      ensure: (plan, signal) =>
        command(RELOAD_MS, signal, () =>
          this.#apply(plan) ? { kind: "pointed" } : { kind: "older", term: this.#term },
        ),
      hold: async ({ drainMs, limitMs }, signal): Promise<Held> => {
        await command(COMMAND_MS, signal, () => this.#pause(limitMs));
        if (!this.isBusy) return { kind: "held" };
        return command(drainMs, signal, () =>
          this.isBusy ? { kind: "busy", blockers: ["app@client"] } : { kind: "held" },
        );
      },
      release: (signal) => command(COMMAND_MS, signal, () => this.#resume()),
      cut: (_target, signal) =>
        command(COMMAND_MS, signal, () => {
          this.isBusy = false;
        }),
      closeWrites: (signal) => command(COMMAND_MS, signal, () => undefined),
      look: (signal) => command(COMMAND_MS, signal, () => this.#look()),
      refusals: () => Promise.resolve([]),
      close: () => undefined,
      stop: () => Promise.resolve(),
    };
  }

  #apply(plan: RoutePlan): boolean {
    if (plan.term < this.#term) return false;
    this.#term = plan.term;
    // Without a primary nothing is better known than where it was, unless nobody shall be written to.
    const isKept = plan.write === undefined && plan.isReadOnly !== true;
    if (isKept || plan.write?.name === this.#write?.name) return true;
    this.#write = plan.write;
    const { term, write } = plan;
    this.#stage.truth.tell({ kind: "routed", host: this.#name, term, to: write?.name });
    return true;
  }

  #pause(limitMs: number): void {
    this.#end?.cancel();
    if (this.#stage.flaws.hasNoWatchdog !== true)
      this.#end = this.#stage.kernel.after(limitMs, () => this.#resume());
    if (!this.#isPaused) this.#tell(true);
  }

  #resume(): void {
    this.#end?.cancel();
    if (this.#isPaused) this.#tell(false);
  }

  #tell(on: boolean): void {
    this.#isPaused = on;
    this.#stage.truth.tell({ kind: "clients-paused", host: this.#name, on });
  }

  #look(): PoolerLook {
    const process = {
      pid: 1,
      version: "simulated",
      paused: this.#isPaused,
      points:
        this.#write === undefined
          ? {}
          : { [WRITES]: { host: this.#write.host, port: this.#write.port } },
      pools: [],
      traffic: [],
      maxClients: 0,
      memoryBytes: undefined,
    };
    return { processes: [process], problems: [] };
  }
}
