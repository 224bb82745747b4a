// Who tells and keeps the incidents? Every member for itself, from the events of all of them: whichever host dies, the
// others have the story, and a member that comes back adds its part to it.
import { join } from "node:path";
import type { TlsMaterial } from "../../adapters/http/client.ts";
import { assembleIncidents } from "../../incident/assemble.ts";
import { isTrouble } from "../../incident/episodes.ts";
import type { Acknowledgement, Incident } from "../../incident/incident.ts";
import {
  type IncidentSummary,
  mergeIncidents,
  summaryOf,
} from "../../incident/merged-incidents.ts";
import { after, type Ms } from "../../model/time.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Chronicle } from "../chronicle/chronicle.ts";
import { gather, MOST_EVENTS, type OtherNode } from "./gather.ts";
import { readIncidents, writeIncidents } from "./incident-files.ts";

export interface KeeperOptions {
  readonly node: string;
  readonly stateDir: string;
  readonly chronicle: Chronicle;
  readonly clock: Clock;
  readonly log: Log;
  readonly tls: TlsMaterial;
  /** The other nodes with a REST address, as the store last showed them. */
  others(): { readonly members: readonly OtherNode[]; readonly routers: readonly OtherNode[] };
}

/** After the last trouble: soon, since the other hosts may be next; and when standbys have come back. */
const TELL_AFTER_MS: readonly Ms[] = [5_000, 60_000];
/** Whoever asks within this time gets the same answer. */
const FRESH_MS: Ms = 2_000;

export class IncidentKeeper {
  readonly #o: KeeperOptions;
  readonly #folder: string;
  readonly #stopListening: () => void;
  #timers: readonly Timer[] = [];
  #summary: IncidentSummary = summaryOf([]);
  #running: Promise<readonly Incident[]> | undefined;
  /** What lies on the disk is read, changed and written by one at a time: no word gets lost in between. */
  #keeping: Promise<unknown> = Promise.resolve();
  #told: { readonly at: number; readonly incidents: readonly Incident[] } | undefined;

  constructor(options: KeeperOptions) {
    this.#o = options;
    this.#folder = join(options.stateDir, "incidents");
    this.#stopListening = options.chronicle.onEvent((event) => {
      if (isTrouble(event) || event.kind === "agent-started") this.#tellLater();
    });
    // What an earlier life kept, and what this node missed while it was away.
    this.#tellLater();
  }

  /** From memory. */
  summary = (): IncidentSummary => this.#summary;

  /** As they lie on this node's disk, oldest first. */
  own = (): Promise<readonly Incident[]> => readIncidents(this.#folder);

  /** Told anew from what all nodes say now, and kept. */
  async current(): Promise<readonly Incident[]> {
    const told = this.#told;
    if (told !== undefined && this.#o.clock.now() - told.at < FRESH_MS) return told.incidents;
    this.#running ??= this.#tell().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Answers the incident as it is then; undefined when there is none of that id. */
  acknowledge(id: string, word: Acknowledgement): Promise<Incident | undefined> {
    return this.#alone(() => this.#acknowledge(id, word));
  }

  close(): void {
    this.#stopListening();
    for (const timer of this.#timers) timer.cancel();
  }

  async #acknowledge(id: string, word: Acknowledgement): Promise<Incident | undefined> {
    const before = await this.own();
    const found = before.find((incident) => incident.id === id);
    if (found === undefined) return undefined;
    const now = { ...found, acknowledged: found.acknowledged ?? word };
    const all = before.map((incident) => (incident.id === id ? now : incident));
    await writeIncidents(this.#folder, before, all);
    this.#told = undefined;
    this.#summary = summaryOf(all);
    return now;
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#keeping.then(work);
    this.#keeping = done.catch(() => undefined);
    return done;
  }

  #tellLater(): void {
    const { clock, log } = this.#o;
    for (const timer of this.#timers) timer.cancel();
    this.#timers = TELL_AFTER_MS.map((ms) =>
      clock.wakeAt(after(clock.now(), ms), () => {
        this.current().catch((error: unknown) => {
          log.warn("incidents could not be kept", { error: String(error) });
        });
      }),
    );
  }

  async #tell(): Promise<readonly Incident[]> {
    const { node, chronicle, clock, tls } = this.#o;
    const { members, routers } = this.#o.others();
    const [{ parts, kept, missing }, own] = await Promise.all([
      gather(distinct([...members, ...routers], node), tls, () => clock.wallMs()),
      chronicle.since(0, MOST_EVENTS),
    ]);
    const mine = { node, events: own.events, offset: { aheadMs: 0, doubtMs: 0 } };
    const fresh = assembleIncidents([mine, ...parts], {
      members: [...new Set([node, ...members.map(({ name }) => name)])],
      routers: routers.map(({ name }) => name),
      missing,
    });
    return this.#alone(() => this.#keep(kept, fresh));
  }

  async #keep(kept: readonly Incident[], fresh: readonly Incident[]): Promise<readonly Incident[]> {
    const before = await this.own();
    const incidents = mergeIncidents([...before, ...kept], fresh);
    await writeIncidents(this.#folder, before, incidents);
    this.#summary = summaryOf(incidents);
    this.#told = { at: this.#o.clock.now(), incidents };
    return incidents;
  }
}

/** A node may be a member and a router under one name: it is asked once. */
const distinct = (nodes: readonly OtherNode[], self: string): readonly OtherNode[] =>
  nodes.filter(
    ({ name }, at) => name !== self && nodes.findIndex((other) => other.name === name) === at,
  );
