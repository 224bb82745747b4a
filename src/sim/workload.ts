// Clients: each writes unique rows through whichever node takes them, and remembers what was acknowledged.
import { OUTSIDE, type SimCluster } from "./cluster.ts";
import type { Dice } from "./dice.ts";
import type { SimHost } from "./host.ts";
import type { Ticket } from "./kernel.ts";
import { commitWaits } from "./sync-rep.ts";
import type { HiddenBranch } from "./wal.ts";

export interface AcknowledgedRow {
  readonly row: number;
  readonly host: string;
  readonly branch: HiddenBranch;
  readonly lsn: number;
  readonly at: number;
}

export interface WorkloadOptions {
  readonly clients: number;
  readonly everyMs: number;
  /** How often a client writes while nothing happens; as always, when left out. */
  readonly restEveryMs?: number;
  /** The largest row, in bytes; most are small. */
  readonly largestRow: number;
}

type Acknowledge = (lsn: number, branch: HiddenBranch, durableAt: number) => void;

/** How a commit can be answered. */
interface Answers {
  readonly acknowledged: Acknowledge;
  readonly warned: () => void;
}

/** Loss, forks and second writers are born within seconds of an event: so long everybody writes after one. */
const STIRRED_MS = 2_000;
const RECONNECT_MS = 250;
const ANSWER_LIMIT_MS = 2_000;

/** Writes and the ledger of what came back. */
export class Workload {
  readonly acknowledged: AcknowledgedRow[] = [];
  longestPauseMs = 0;
  /** Commits that were answered with the warning about a cancelled wait (R34). */
  notPromised = 0;
  /** Acknowledged rows that are on no surviving history; the checker of losses counts them. */
  lost = 0;
  /** Begin of the pause that is being measured; set at the first acknowledgement. */
  lastAcknowledgedAt: number | undefined;
  readonly #cluster: SimCluster;
  readonly #options: WorkloadOptions;
  readonly #dice: Dice;
  /** Clients between two writes, each with the server it is connected to. */
  readonly #waiting = new Map<Ticket, SimHost | undefined>();
  #stirredUntil = Number.NEGATIVE_INFINITY;
  #row = 0;

  constructor(cluster: SimCluster, options: WorkloadOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#dice = cluster.dice.fork("clients");
  }

  start(): void {
    for (let n = 0; n < this.#options.clients; n++) this.#later(this.#options.everyMs, undefined);
  }

  #later(ms: number, at: SimHost | undefined): void {
    const ticket = this.#cluster.kernel.after(ms * (0.5 + this.#dice.real()), () => {
      this.#waiting.delete(ticket);
      this.#write(at);
    });
    this.#waiting.set(ticket, at);
  }

  /** Something happens, or is about to: clients that rest begin to write at once. */
  stir(): void {
    const { now } = this.#cluster.kernel;
    const wasResting = this.#isResting;
    this.#stirredUntil = now + STIRRED_MS;
    if (!wasResting) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const [ticket, at] of waiting) {
      ticket.cancel();
      this.#later(this.#options.everyMs, at);
    }
  }

  get #isResting(): boolean {
    const { restEveryMs } = this.#options;
    return restEveryMs !== undefined && this.#cluster.kernel.now >= this.#stirredUntil;
  }

  get #pace(): number {
    const { everyMs, restEveryMs } = this.#options;
    return this.#isResting ? (restEveryMs ?? everyMs) : everyMs;
  }

  /** One insert: over the connection that is open, or a new one to the first node that says it is a primary. */
  #write(at: SimHost | undefined): void {
    const { kernel, network } = this.#cluster;
    const isOpen = at !== undefined && this.#canUse(at);
    const host = isOpen ? at : this.#connect();
    if (host === undefined) {
      this.#later(RECONNECT_MS, undefined);
      return;
    }
    let isOver = false;
    const limit = kernel.after(ANSWER_LIMIT_MS, () => {
      isOver = true;
      this.#later(RECONNECT_MS, undefined);
    });
    const goOn = (): void => {
      if (isOver) return;
      isOver = true;
      limit.cancel();
      this.#later(this.#pace, host);
    };
    const warned = (): void =>
      network.message(host.name, OUTSIDE, () => {
        this.notPromised += 1;
        goOn();
      });
    network.message(OUTSIDE, host.name, () => {
      const acknowledged: Acknowledge = (lsn, branch, durableAt) => {
        const row = this.#row++;
        this.#cluster.truth.tell({
          kind: "acknowledged",
          host: host.name,
          row,
          branch,
          lsn,
          durableAt,
        });
        network.message(host.name, OUTSIDE, () => {
          this.#book({ row, host: host.name, branch, lsn, at: kernel.now });
          goOn();
        });
      };
      this.insert(host, { acknowledged, warned });
    });
  }

  #canUse(host: SimHost): boolean {
    return host.server.canAcknowledge() && host.server.run?.frozen === false;
  }

  #connect(): SimHost | undefined {
    const { hosts, network } = this.#cluster;
    return [...hosts.values()].find(
      (h) =>
        network.connects(OUTSIDE, h.name) && h.server.accepts && h.server.run?.phase === "primary",
    );
  }

  /** Inside the server: insert, flush, and only then the answer. */
  insert(host: SimHost, { acknowledged, warned }: Answers): void {
    const { server } = host;
    const { run, data } = server;
    if (run === undefined || data === undefined || run.frozen || !server.canAcknowledge()) return;
    if (run.postmaster === "dead" && run.longBackends === 0) return;
    const branch = data.branch;
    const canAnswer = (): boolean => server.run === run && server.canAcknowledge();
    server.insert(run, this.#size(), (lsn) => {
      const answer = (): void => {
        if (canAnswer()) acknowledged(lsn, branch, this.#cluster.kernel.now);
      };
      const warn = (): void => {
        if (canAnswer()) warned();
      };
      const isCareless = this.#cluster.options.flaws.clients?.takeWarningForPromise === true;
      commitWaits(run, { lsn, answer, warn: isCareless ? answer : warn });
    });
  }

  /** Long procedures with COMMITs inside: their backends outlive a dead postmaster. */
  runProcedures(host: SimHost, count: number): void {
    const { run } = host.server;
    if (run?.phase !== "primary") return;
    run.longBackends += count;
    const step = (): void => {
      if (host.server.run !== run) return;
      const acknowledged: Acknowledge = (lsn, branch) => {
        const row = this.#row++;
        this.#cluster.network.message(host.name, OUTSIDE, () =>
          this.#book({ row, host: host.name, branch, lsn, at: this.#cluster.kernel.now }),
        );
      };
      this.insert(host, { acknowledged, warned: () => undefined });
      this.#cluster.kernel.after(this.#options.everyMs, step);
    };
    step();
    this.#cluster.kernel.after(20_000, () => {
      run.longBackends = Math.max(0, run.longBackends - count);
    });
  }

  #size(): number {
    const isLarge = this.#dice.chance(0.05);
    return 150 + this.#dice.integer(isLarge ? this.#options.largestRow : 400);
  }

  #book(row: AcknowledgedRow): void {
    if (this.lastAcknowledgedAt !== undefined) {
      this.longestPauseMs = Math.max(this.longestPauseMs, row.at - this.lastAcknowledgedAt);
    }
    this.lastAcknowledgedAt = row.at;
    this.acknowledged.push(row);
  }
}
