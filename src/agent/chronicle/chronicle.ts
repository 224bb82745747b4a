// What has happened on this node? It hears of every look, of the fence and of the routers, and keeps what changed.
import { join } from "node:path";
import { readHostIdentity } from "../../adapters/system/host-identity.ts";
import type { EventBody, NodeEvent } from "../../model/event.ts";
import type { Reason } from "../../model/reason.ts";
import type { Ending } from "../../model/schedule.ts";
import { between, type Instant, type Ms } from "../../model/time.ts";
import type { LastLook } from "../../node/node.ts";
import type { LastRoute } from "../../node/router.ts";
import type { Clock } from "../../ports/clock.ts";
import type { FenceEvent } from "../../ports/fence.ts";
import type { ClientsOutage } from "../availability/watch.ts";
import { EventFile } from "./event-file.ts";
import { type EvidencePlaces, gatherEvidence, oomKillsOf } from "./host-evidence.ts";
import { eventsBetween, NOTHING_TOLD, type Told } from "./told.ts";

export interface ChronicleOptions {
  readonly node: string;
  readonly stateDir: string;
  readonly version: string;
  readonly clock: Pick<Clock, "now" | "wallMs" | "sleep">;
  /** Where the host's word about a server is read; undefined on a node that has none. */
  readonly places: EvidencePlaces | undefined;
}

/** Events of one node behind a place in its order, and the place behind the last of them. */
export interface EventsPart {
  readonly events: readonly NodeEvent[];
  readonly next: number;
}

/** A process that is this much later than it wanted to be was stopped, or its host slept. */
const STALLED_MS: Ms = 3_000;
const STALL_LOOK_MS: Ms = 1_000;
/** Kept in memory for those who follow; older ones are read from the disk. */
const MOST_AT_HAND = 100;
/** A server that reset itself has lost a backend, and one that gives way has no room left: the host knows more of both. */
const HOST_KNOWS_MORE: ReadonlySet<string> = new Set<Reason>([
  "lead_server_reset",
  "lead_disk_full",
]);
const OOM_LOOK_EVERY_MS: Ms = 60_000;

export class Chronicle {
  readonly #o: ChronicleOptions;
  readonly #file: EventFile;
  readonly #atHand: NodeEvent[] = [];
  readonly #listeners = new Set<(event: NodeEvent) => void>();
  #next = 1;
  #told: Told = NOTHING_TOLD;
  #toldRoute: string | undefined;
  readonly #ending = new AbortController();
  #oom: { readonly kills: number | undefined; readonly at: Instant } | undefined;

  private constructor(options: ChronicleOptions) {
    this.#o = options;
    this.#file = new EventFile(join(options.stateDir, "events.jsonl"));
  }

  /** Goes on behind the events of earlier lives, and begins with the start of this one. */
  static async open(options: ChronicleOptions): Promise<Chronicle> {
    const chronicle = new Chronicle(options);
    const kept = await chronicle.#file.all().catch(() => []);
    const last = kept.at(-1);
    chronicle.#next = (last?.seq ?? 0) + 1;
    const bootId = readHostIdentity().bootId;
    const before = kept.findLast((event) => event.kind === "agent-started");
    const isSameBoot = before?.kind === "agent-started" && before.bootId === bootId;
    const after = isSameBoot ? "same boot" : "another boot";
    const silentMs = last === undefined ? undefined : options.clock.wallMs() - last.at;
    chronicle.#add({
      kind: "agent-started",
      version: options.version,
      bootId,
      life: before === undefined ? "first" : after,
      ...(silentMs === undefined || silentMs < 0 ? {} : { silentMs }),
    });
    await chronicle.#countKills();
    return chronicle;
  }

  /**
   * Notes until the end when the process did not run. Looks do not tell it: one that waits for a silent store is late as
   * well, and then the store is the cause.
   */
  async watchForStalls(): Promise<void> {
    const { clock } = this.#o;
    const { signal } = this.#ending;
    while (!signal.aborted) {
      const since = clock.now();
      await clock.sleep(STALL_LOOK_MS, signal).catch(() => undefined);
      const ms = Math.round(between(since, clock.now()));
      if (ms > STALL_LOOK_MS + STALLED_MS) this.#add({ kind: "agent-stalled", ms });
    }
  }

  /** Hears of a look after its decision. Neither waits nor throws. */
  looked({ world, decision }: LastLook): void {
    const { told, events } = eventsBetween(this.#told, world, decision);
    this.#told = told;
    for (const { agoMs, body } of events) this.#add(body, Math.round(world.wallMs - agoMs));
    const asksHost = events.some(
      ({ body }) => body.kind === "decision" && HOST_KNOWS_MORE.has(body.because),
    );
    if (asksHost) void this.#addEvidence();
    if (this.#oom === undefined || between(this.#oom.at, world.now) > OOM_LOOK_EVERY_MS)
      void this.#countKills();
  }

  /** Hears of a router's look. */
  routed({ world, decision }: LastRoute): void {
    const { applied } = decision.memory;
    const key = `${decision.because} ${applied?.term ?? ""} ${applied?.write?.name ?? ""}`;
    if (key === this.#toldRoute) return;
    this.#toldRoute = key;
    const primary = applied?.write?.name;
    this.#add(
      {
        kind: "route",
        because: decision.because,
        ...(primary === undefined ? {} : { primary }),
        ...(applied === undefined ? {} : { term: applied.term }),
      },
      this.#o.clock.wallMs() - Math.round(between(world.now, this.#o.clock.now())),
    );
  }

  fenceSaid(event: FenceEvent): void {
    if (event.kind !== "server-exit") {
      const term = event.kind === "fired" ? { term: event.term } : {};
      this.#add({ kind: "fence", what: event.kind, ...term });
      return;
    }
    const { pid, code, signal } = event;
    this.#add({
      kind: "server-exit",
      pid,
      ...(code === undefined ? {} : { code }),
      ...(signal === undefined ? {} : { signal }),
    });
    void this.#addEvidence();
  }

  /** Somebody has the server of this node ended on purpose. */
  gameDay(id: string, by: string): void {
    this.#add({ kind: "game-day", id, by });
  }

  /** What probe writes over a way in have met; it begins and ends by this host's clock. */
  clients({ path, from, to, why }: ClientsOutage): void {
    if (to === undefined)
      this.#add({ kind: "clients", path, ...(why === undefined ? {} : { why }) }, from);
    else this.#add({ kind: "clients", path, forMs: to - from }, to);
  }

  /** A job of the schedule has ended here. */
  scheduled(job: string, outcome: Ending["outcome"], why: string | undefined): void {
    this.#add({ kind: "scheduled", job, outcome, ...(why === undefined ? {} : { why }) });
  }

  leaving(how: string): void {
    this.#add({ kind: "agent-leaving", how });
  }

  /** At most `most` events behind `after`, the newest when there are more. */
  async since(after: number, most: number): Promise<EventsPart> {
    const first = this.#atHand[0]?.seq;
    const isAtHand = first !== undefined && after + 1 >= first;
    const all = isAtHand ? this.#atHand : await this.#file.all();
    const events = all.filter(({ seq }) => seq > after).slice(-most);
    return { events, next: events.at(-1)?.seq ?? after };
  }

  /** Calls `listener` with every event from now on; answers what ends that. */
  onEvent(listener: (event: NodeEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    this.#ending.abort();
    return this.#file.flush().catch(() => undefined);
  }

  #add(body: EventBody, at = this.#o.clock.wallMs()): void {
    const event: NodeEvent = { node: this.#o.node, seq: this.#next, at, ...body };
    this.#next += 1;
    this.#file.add(event);
    this.#atHand.push(event);
    if (this.#atHand.length > MOST_AT_HAND) this.#atHand.shift();
    for (const listener of this.#listeners) listener(event);
  }

  async #addEvidence(): Promise<void> {
    if (this.#o.places === undefined) return;
    const evidence = await gatherEvidence(this.#o.places, this.#oom?.kills);
    this.#add({ kind: "evidence", ...evidence });
    await this.#countKills();
  }

  async #countKills(): Promise<void> {
    const kills = await oomKillsOf(this.#o.places?.procRoot);
    this.#oom = { kills, at: this.#o.clock.now() };
  }
}
