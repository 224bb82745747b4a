// Who reads a logical slot, and does it miss anything? A consumer with a memory of its own.
//
// It asks the primary for what comes after the last change that it has. The server goes on from where the slot is, when
// that is later: silently, and so a slot that is ahead of its reader is a gap which nobody sees.
import type { SimHost } from "./host.ts";
import type { Kernel } from "./kernel.ts";
import type { TruthBoard } from "./truth.ts";
import { contains, type HiddenBranch } from "./wal.ts";

const EVERY_MS = 3_000;

/** What of a cluster a reader needs. */
interface Readable {
  readonly kernel: Kernel;
  readonly truth: TruthBoard;
  writable(): SimHost | undefined;
}

export class SlotReader {
  /** Stands still, as a consumer that is down. */
  isStopped = false;
  readonly #cluster: Readable;
  readonly #slot: string;
  #confirmed: { readonly branch: HiddenBranch; readonly at: number } | undefined;

  constructor(cluster: Readable, slot: string) {
    this.#cluster = cluster;
    this.#slot = slot;
  }

  start(): void {
    this.#cluster.kernel.after(EVERY_MS, () => {
      if (!this.isStopped) this.#read();
      this.start();
    });
  }

  #read(): void {
    const { truth } = this.#cluster;
    const host = this.#cluster.writable();
    const data = host?.server.data;
    const slot = data?.slots.get(this.#slot);
    if (host?.server.accepts !== true || data === undefined || slot?.logical === undefined) return;
    const mine = this.#confirmed;
    // What a failover has lost was read all the same; then the reader begins where the slot is (L4).
    const isKnown = mine !== undefined && contains(data.branch, data.end, mine.branch, mine.at);
    if (isKnown && slot.restart > mine.at) {
      const { name, restart } = slot;
      truth.tell({ kind: "slot-ahead", host: host.name, slot: name, from: mine.at, to: restart });
    }
    slot.restart = Math.max(slot.restart, data.flushed);
    this.#confirmed = { branch: data.branch, at: slot.restart };
  }
}
