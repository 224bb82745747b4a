// The other site: one server that belongs to no cluster of ours. It writes by itself, goes away, and changes its history.
import { AppError } from "../model/error.ts";
import { lsn } from "../model/lsn.ts";
import type { RemoteSite, StandbyCluster } from "../model/site.ts";
import { askAfter } from "./ask.ts";
import type { Dice } from "./dice.ts";
import { Disk, nextTimeline } from "./disk.ts";
import type { SimHost } from "./host.ts";
import type { Kernel } from "./kernel.ts";
import type { Network } from "./network.ts";
import { newData } from "./postgres-initialise.ts";
import type { SimProcess } from "./process.ts";
import { DEFAULT_PROFILE } from "./run.ts";
import { SimServer } from "./server.ts";
import { TruthBoard } from "./truth.ts";
import { visibleHistory, type WalTree } from "./wal.ts";

/** The address of the other site, whichever of its servers takes writes there. */
export const FAR = "far";
/** The slot that somebody over there has made for us. */
export const FAR_SLOT = "this_site";

const WRITES_EVERY_MS = 200;
const ROW_BYTES = 300;

export interface RemoteParts {
  readonly kernel: Kernel;
  readonly dice: Dice;
  readonly tree: WalTree;
  readonly network: Network;
}

export class SimRemote {
  readonly server: SimServer;
  readonly #parts: RemoteParts;
  readonly #disk = new Disk();

  constructor(parts: RemoteParts) {
    const { kernel, dice, tree } = parts;
    this.#parts = parts;
    this.#disk.data = newData(tree, `74${dice.integer(1_000_000_000)}`);
    this.#disk.data.slots.set(FAR_SLOT, { name: FAR_SLOT, restart: 0 });
    this.server = new SimServer(
      {
        kernel,
        dice,
        tree,
        disk: this.#disk,
        hostName: FAR,
        // What happens over there is no part of the story told here.
        truth: new TruthBoard(() => kernel.now),
        hostNow: () => kernel.now,
        nextPid: () => 1,
      },
      DEFAULT_PROFILE,
    );
    this.server.start({ asStandby: false, guarded: true, listens: true });
    this.#write();
  }

  #write(): void {
    const { run } = this.server;
    if (run?.phase === "primary") this.server.insert(run, ROW_BYTES, () => undefined);
    this.#parts.kernel.after(WRITES_EVERY_MS, () => this.#write());
  }

  setReachable(isReachable: boolean): void {
    this.#parts.network.setPower(FAR, isReachable);
  }

  /** Another server over there takes over, without the last `lostBytes` that this site may have already. */
  failOver(lostBytes: number): void {
    const data = this.#disk.data;
    const { run } = this.server;
    if (data === undefined || run === undefined) return;
    for (const sender of [...run.senders.values()]) sender.close();
    const id = this.#parts.tree.nextDirectory();
    const end = Math.max(0, data.flushed - lostBytes);
    const timeline = nextTimeline(data);
    const branch = this.#parts.tree.grow(timeline, data.branch, end, id);
    data.historyFiles.add(timeline);
    run.unflushed = [];
    run.inserted = end;
    run.replayed = end;
    this.#disk.data = {
      ...data,
      id,
      end,
      flushed: end,
      branch,
      control: { ...data.control, timeline, checkpoint: end },
    };
  }

  /** Somebody makes a new database over there. */
  replace(): void {
    const data = this.#disk.data;
    if (data === undefined) return;
    for (const sender of [...(this.server.run?.senders.values() ?? [])]) sender.close();
    this.#disk.data = { ...data, systemId: `75${this.#parts.dice.integer(1_000_000_000)}` };
  }

  restore(systemId: string): void {
    const data = this.#disk.data;
    if (data !== undefined) this.#disk.data = { ...data, systemId };
  }

  get systemId(): string {
    return this.#disk.data?.systemId ?? "";
  }

  setSlot(exists: boolean): void {
    const { data } = this.#disk;
    if (exists) data?.slots.set(FAR_SLOT, { name: FAR_SLOT, restart: 0 });
    else data?.slots.delete(FAR_SLOT);
    if (exists) return;
    for (const sender of [...(this.server.run?.senders.values() ?? [])]) sender.close();
  }

  lacksSlot(slot: string | undefined): boolean {
    return slot !== undefined && this.#disk.data?.slots.has(slot) !== true;
  }
}

/** The look of one agent at the other site. */
export function lookAtSite(
  { kernel, network, world, name }: SimHost,
  process: SimProcess,
  { site, timeoutMs }: { readonly site: StandbyCluster; readonly timeoutMs: number },
): Promise<RemoteSite> {
  const server = world.serverAt(site.host);
  const isThere = server !== undefined && network.connects(name, site.host) && server.accepts;
  const fail = (): never => {
    throw new AppError("PG_SQL_FAILED", "looking at the other site", "it does not answer");
  };
  return askAfter(kernel, {
    process,
    attempt: "looking at the other site",
    ms: isThere ? network.latency(name, site.host) * 6 : timeoutMs,
    work: () => {
      const data = server?.data;
      if (!isThere || data === undefined) return fail();
      const lines = visibleHistory(data.branch).slice(0, -1);
      return {
        systemId: data.systemId,
        timeline: data.branch.timeline,
        position: lsn(Math.floor(data.flushed)),
        history: lines.map(({ timeline, end }) => {
          return { timeline, endLsn: lsn(Math.floor(end)), reason: "no recovery target specified" };
        }),
        takesWrites: server?.run?.phase === "primary",
        hasSlot: site.slot === undefined ? undefined : data.slots.has(site.slot),
      };
    },
  });
}
