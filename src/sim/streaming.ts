// How does WAL get from one server to another? A walreceiver asks, a walsender sends what is flushed.
//
// PostgreSQL compares numbers only. Where the numbers fit and the hidden branches don't, the stream goes on and
// the standby's pages are mixed: the truth board hears of it, the standby does not.

import type { SyncNames } from "../model/sync.ts";
import type { Upstream } from "../ports/postgres.ts";
import type { Network } from "./network.ts";
import type { Receiver, Run, Sender } from "./run.ts";
import type { SimServer } from "./server.ts";
import { heardFrom } from "./sync-rep.ts";
import { branchAt, contains, numbersFit, visibleHistory } from "./wal.ts";

const RETRY_MS = 1_000;
/** wal_sender_timeout and wal_receiver_timeout as Understudy manages them (R36). */
const SILENCE_MS = 6_000;

export interface StreamWorld {
  readonly network: Network;
  serverAt(host: string): SimServer | undefined;
  /** Whether the slot that the standby asks for is known to be missing over there. */
  lacksSlot(upstream: Upstream): boolean;
}

/** Starts the walreceiver of `standby`; it retries until it is closed. */
export function receive(
  standby: SimServer,
  run: Run,
  upstream: Upstream,
  world: StreamWorld,
): Receiver {
  let isClosed = false;
  let stream: Stream | undefined;
  const retry = (): void => standby.during(run, RETRY_MS, attempt);
  const attempt = (): void => {
    if (isClosed || run.phase === "promoting" || run.phase === "primary") return;
    const source = world.serverAt(upstream.host);
    if (
      source === undefined ||
      source === standby ||
      world.lacksSlot(upstream) ||
      refusal(standby, run, source, world) !== undefined
    ) {
      retry();
      return;
    }
    const began = beginStream({ standby, run, source, world, slot: upstream.slot }, () => {
      stream = undefined;
      if (!isClosed) retry();
    });
    if (began === undefined) retry();
    else stream = began;
  };
  standby.during(run, world.network.latency(standby.name, upstream.host) * 3, attempt);
  return {
    upstream,
    isStreaming: () => stream !== undefined,
    flushed: () => (stream === undefined ? undefined : standby.data?.flushed),
    close: () => {
      isClosed = true;
      stream?.close();
    },
  };
}

/** Why no stream can begin now. */
function refusal(
  standby: SimServer,
  run: Run,
  source: SimServer,
  world: StreamWorld,
): string | undefined {
  const mine = standby.data;
  const theirs = source.data;
  if (mine === undefined || theirs === undefined || run.frozen) return "no data";
  if (!world.network.connects(standby.name, source.name)) return "unreachable";
  if (!source.accepts || source.run?.phase === "promoting") return "not accepting";
  if (standby.parts.disk.full) return "no space";
  if (mine.systemId !== theirs.systemId) return "another cluster";
  if (mine.end > theirs.flushed && mine.branch.timeline === theirs.branch.timeline)
    return "ahead of the upstream";
  if (!numbersFit(mine.branch, mine.end, theirs.branch)) return "timeline forked off before my end";
  if (mine.end < theirs.walFloor) return "requested WAL has been removed";
  return undefined;
}

interface StreamEnds {
  readonly standby: SimServer;
  readonly run: Run;
  readonly source: SimServer;
  readonly world: StreamWorld;
  readonly slot: string | undefined;
}

interface Stream {
  close(): void;
}

class LiveStream implements Sender, Stream {
  readonly to: string;
  readonly slot: string | undefined;
  readonly #ends: StreamEnds;
  readonly #sourceRun: Run;
  readonly #onEnd: () => void;
  #isOpen = true;
  #forget: (() => void) | undefined;
  #isInFlight = false;
  #sent: number;
  #confirmed: number;
  #pending: { readonly at: number; readonly lsn: number } | undefined;
  syncNames: SyncNames;

  constructor(ends: StreamEnds, sourceRun: Run, onEnd: () => void) {
    this.syncNames = sourceRun.syncNames;
    this.#ends = ends;
    this.#sourceRun = sourceRun;
    this.#onEnd = onEnd;
    this.to = ends.standby.name;
    this.slot = ends.slot;
    this.#sent = ends.standby.data?.end ?? 0;
    this.#confirmed = this.#sent;
  }

  reported(): number {
    if (this.#pending !== undefined && this.#pending.at <= this.#ends.standby.parts.kernel.now) {
      this.#confirmed = this.#pending.lsn;
      this.#pending = undefined;
    }
    return this.#confirmed;
  }

  pump(): void {
    const { source, standby, world } = this.#ends;
    const target = source.data?.flushed ?? 0;
    if (!this.#isOpen || this.#isInFlight || target <= this.#sent) return;
    this.#isInFlight = true;
    const kernel = standby.parts.kernel;
    kernel.after(world.network.latency(source.name, standby.name), () => this.#arrive(target));
  }

  #arrive(target: number): void {
    const { source, standby, run, world } = this.#ends;
    if (!this.#isOpen) return;
    if (
      !world.network.carries(source.name, standby.name) ||
      run.frozen ||
      standby.parts.disk.full
    ) {
      // TCP keeps trying; whether the stream outlives the silence is decided by the two timeouts.
      standby.parts.kernel.after(300, () => this.#arrive(target));
      return;
    }
    const data = standby.data;
    if (data === undefined || standby.run !== run) return;
    this.#checkBranch();
    data.end = Math.max(data.end, target);
    this.#adoptBranch();
    this.#sent = target;
    standby.during(run, standby.profile.flushMs + standby.parts.disk.slowMs, () =>
      this.#flushed(target),
    );
  }

  #flushed(target: number): void {
    const { standby, run, source, world } = this.#ends;
    const data = standby.data;
    if (data === undefined) return;
    data.flushed = Math.max(data.flushed, target);
    run.replayed = Math.max(run.replayed, target);
    if (
      data.consistentAt !== undefined &&
      contains(data.branch, data.end, data.consistentAt.branch, data.consistentAt.at)
    ) {
      data.consistentAt = undefined;
    }
    for (const sender of run.senders.values()) sender.pump();
    this.#isInFlight = false;
    if (!this.#isOpen) return;
    this.reported();
    const back = world.network.latency(standby.name, source.name);
    if (world.network.carries(standby.name, source.name)) {
      this.#pending = { at: standby.parts.kernel.now + back, lsn: target };
      // Whoever waits for this position waited before it was sent.
      if (this.#sourceRun.syncWaits.length > 0)
        source.during(this.#sourceRun, back, () => this.#heard());
    }
    this.pump();
  }

  /** The standby's word is here: it may be what commits have waited for. */
  #heard(): void {
    if (this.#isOpen && this.#sourceRun.postmaster !== "dead") heardFrom(this.#sourceRun, this);
  }

  /** The numbers fit; do the histories? */
  #checkBranch(): void {
    const { standby, source } = this.#ends;
    const mine = standby.data;
    const theirs = source.data;
    if (mine === undefined || theirs === undefined || mine.branch === theirs.branch) return;
    if (contains(theirs.branch, Number.POSITIVE_INFINITY, mine.branch, mine.end)) return;
    mine.corrupt = true;
    const timeline = theirs.branch.timeline;
    standby.parts.truth.tell({
      kind: "wrong-rows",
      host: standby.name,
      upstream: source.name,
      timeline,
    });
  }

  /** The standby takes over the upstream's history, as far as it has the WAL for it. */
  #adoptBranch(): void {
    const mine = this.#ends.standby.data;
    const theirs = this.#ends.source.data;
    if (mine === undefined || theirs === undefined || mine.branch === theirs.branch) return;
    mine.branch = branchAt(theirs.branch, mine.end);
    for (const line of visibleHistory(theirs.branch)) {
      if (line.timeline > 1) mine.historyFiles.add(line.timeline);
    }
  }

  /** The link has changed: a stream that stays cut ends on both sides after the timeout. */
  lookAtLink(): void {
    const { source, standby, world } = this.#ends;
    if (!this.#isOpen) return;
    if (isHealthy(source, standby, world)) {
      this.pump();
      return;
    }
    const since = standby.parts.kernel.now;
    standby.parts.kernel.after(SILENCE_MS, () => {
      if (
        this.#isOpen &&
        !isHealthy(source, standby, world) &&
        standby.parts.kernel.now - since >= SILENCE_MS
      )
        this.close();
    });
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#forget?.();
    this.#sourceRun.senders.delete(this.to);
    this.#onEnd();
  }

  start(): void {
    // A walreceiver flushes what it has written before it ends: its successor finds all of it durable.
    const data = this.#ends.standby.data;
    if (data !== undefined) data.flushed = Math.max(data.flushed, data.end);
    this.#forget = this.#ends.world.network.onChange(() => this.lookAtLink());
    this.#checkBranch();
    this.#adoptBranch();
    this.#ends.run.exhausted = true;
    this.#ends.run.replayed = Math.max(this.#ends.run.replayed, this.#sent);
    this.#sourceRun.senders.set(this.to, this);
    this.#heard();
    this.pump();
  }
}

const isHealthy = (source: SimServer, standby: SimServer, world: StreamWorld): boolean =>
  world.network.connects(source.name, standby.name) &&
  source.run?.frozen !== true &&
  standby.run?.frozen !== true;

function beginStream(ends: StreamEnds, onEnd: () => void): Stream | undefined {
  const sourceRun = ends.source.run;
  if (sourceRun === undefined) return undefined;
  sourceRun.senders.get(ends.standby.name)?.close();
  const stream = new LiveStream(ends, sourceRun, onEnd);
  stream.start();
  return stream;
}
