// Plays one story in the simulation: world, clients, faults, healing, checkers, and a report.

import { DEFAULT_CONFIG } from "../model/config.ts";
import { holdMsFor } from "../model/lease.ts";
import type { StoryReport } from "../scenario/scenario.ts";
import type { Fault } from "../scenario/verbs.ts";
import { CHECKERS } from "./checkers/all.ts";
import type { Checker } from "./checkers/checker.ts";
import { type ClusterOptions, SimCluster } from "./cluster.ts";
import type { Undo } from "./fault-target.ts";
import { playFault } from "./faults.ts";
import type { Truth } from "./truth.ts";
import { Workload, type WorkloadOptions } from "./workload.ts";

export interface Story {
  readonly cluster: ClusterOptions;
  readonly workload: WorkloadOptions;
  readonly faults: readonly Fault[];
  readonly healAtMs: number;
  readonly endAtMs: number;
  /** Only these rules are judged: what a planted bug breaks first must not hide what else it breaks. */
  readonly judges?: readonly string[] | undefined;
  /** From here on the schedule ends as soon as every checker of liveness is content; at `endAtMs` when left out. */
  readonly calmFromMs?: number;
}

export interface StoryResult extends StoryReport {
  readonly effects: number;
  readonly lostAnswers: number;
  /** "reason→reason" as often as it was taken. */
  readonly edges: ReadonlyMap<string, number>;
}

/** When the agents of a new cluster are started: all at once, as after a power cut of the whole room. */
const AGENT_SPREAD_MS = 50;

/** Clients are at full speed so long before a fault strikes, and at the moment it ends. */
const STIR_BEFORE_MS = 1_000;

/** After these something may have been lost, or is about to be. */
const STIRRING: ReadonlySet<Truth["kind"]> = new Set([
  "fault",
  "writable",
  "promotion-begun",
  "promoted",
  "fence-fired",
]);

/** How often the end of a schedule is considered once it may be over. */
const LOOK_FOR_CALM_MS = 5_000;

/** When the backup of the store is made that somebody restores later. */
const BACKUP_AT_MS = 20_000;
/** Enough for every node to see on its own disk that the backup is old. */
const OTHERS_WRITES = 300;
/** The slowest agent looks at the store as seldom as this, and a look that has failed is made again. */
const EVERYBODY_LOOKS_MS = 25_000;

export class StoryRun {
  readonly cluster: SimCluster;
  readonly workload: Workload;
  readonly #story: Story;
  readonly #checkers: readonly Checker[];
  readonly #violations: string[] = [];
  readonly #undos: Undo[] = [];
  readonly #edges = new Map<string, number>();
  readonly #lastReason = new Map<string, string>();
  readonly #reasons = new Set<string>();
  #promotions = 0;
  #fences = 0;
  #firstPrimary: string | undefined;

  constructor(story: Story) {
    this.#story = story;
    this.cluster = new SimCluster(story.cluster);
    this.workload = new Workload(this.cluster, story.workload);
    const { config } = story.cluster;
    const ttlMs = typeof config["ttl"] === "number" ? config["ttl"] * 1000 : DEFAULT_CONFIG.ttlMs;
    const lag = config["maximum_lag_on_failover"];
    const context = {
      cluster: this.cluster,
      workload: this.workload,
      holdMs: holdMsFor(ttlMs),
      maximumLag: typeof lag === "number" ? lag : DEFAULT_CONFIG.maximumLagOnFailover,
      isSynchronous: config["synchronous_mode"] !== undefined,
      violate: (rule: string, text: string) => this.#violate(rule, text),
    };
    this.#checkers = CHECKERS.map((make) => make(context));
    this.cluster.truth.listen((truth, at) => this.#hear(truth, at));
  }

  #violate(rule: string, text: string): void {
    if (this.#story.judges?.includes(rule) === false) return;
    this.#violations.push(`${rule} at ${(this.cluster.kernel.now / 1000).toFixed(3)} s: ${text}`);
    this.cluster.kernel.stop();
  }

  #hear(truth: Truth, at: number): void {
    for (const checker of this.#checkers) checker.see?.(truth, at);
    if (STIRRING.has(truth.kind)) this.workload.stir();
    if (truth.kind === "promoted") this.#promotions += 1;
    if (truth.kind === "fence-fired" && truth.serverRan) this.#fences += 1;
    if (truth.kind === "writable" && truth.on) this.#firstPrimary ??= truth.host;
    if (truth.kind !== "decision") return;
    this.#reasons.add(truth.reason);
    const before = this.#lastReason.get(truth.host);
    this.#lastReason.set(truth.host, truth.reason);
    if (before === undefined || before === truth.reason) return;
    const edge = `${before}→${truth.reason}`;
    this.#edges.set(edge, (this.#edges.get(edge) ?? 0) + 1);
  }

  /** Plays to the end, or to the first violation. */
  async play(): Promise<StoryResult> {
    const { cluster, workload } = this;
    const { kernel } = cluster;
    const { faults, healAtMs } = this.#story;
    workload.start();
    for (const reader of cluster.readers) reader.start();
    let spread = 0;
    for (const name of cluster.hosts.keys())
      kernel.after((spread += AGENT_SPREAD_MS), () => cluster.startAgent(name));
    for (const router of cluster.routers.values())
      kernel.after((spread += AGENT_SPREAD_MS), () => router.start());
    for (const fault of faults) {
      kernel.at(fault.atMs - STIR_BEFORE_MS, () => workload.stir());
      kernel.at(fault.atMs, () => this.#begin(fault));
    }
    kernel.at(BACKUP_AT_MS, () => {
      const contents = cluster.store.state.contents();
      cluster.store.backup = { contents, isOldFromMs: kernel.now + EVERYBODY_LOOKS_MS };
      cluster.store.state.othersWrite(OTHERS_WRITES);
    });
    kernel.at(healAtMs, () => this.#heal());
    const endedAtMs = await this.#playOut();
    if (!kernel.stopped)
      for (const checker of this.#checkers) checker.finish?.(healAtMs, endedAtMs);
    for (const crash of cluster.crashes) this.#violations.push(`crash: ${crash}`);
    return this.result();
  }

  /** To the end, or to the first moment of calm after the last fault; answers when that was. */
  async #playOut(): Promise<number> {
    const { kernel } = this.cluster;
    const { endAtMs, calmFromMs = endAtMs } = this.#story;
    for (let at = calmFromMs; at < endAtMs; at += LOOK_FOR_CALM_MS) {
      await kernel.runUntil(at);
      if (kernel.stopped || this.#checkers.every((c) => c.isContent?.(at) ?? true)) return at;
    }
    await kernel.runUntil(endAtMs);
    return endAtMs;
  }

  #begin(fault: Fault): void {
    const undo = playFault({ cluster: this.cluster, workload: this.workload }, fault);
    this.#undos.push(undo);
    if (fault.forMs !== undefined) this.cluster.kernel.after(fault.forMs, undo);
  }

  /** Everything that still lasts ends now; agents that are gone come back. */
  #heal(): void {
    const { cluster } = this;
    for (const undo of this.#undos) undo();
    cluster.network.healAll();
    for (const host of cluster.hosts.values()) {
      if (!host.isUp) host.powerOn();
      cluster.startAgent(host.name);
    }
    for (const router of cluster.routers.values()) router.start();
    this.#resume();
    cluster.truth.tell({ kind: "fault", text: "everything is healed" });
  }

  /** A person ends a pause that a fault has left behind, and tries again while the store is away. */
  #resume(): void {
    const { kernel, store } = this.cluster;
    const config = store.state.keys.get("/service/demo/config")?.value;
    if (config?.includes('"pause":true') !== true) return;
    playFault(
      { cluster: this.cluster, workload: this.workload },
      { atMs: 0, verb: { do: "resume" } },
    );
    kernel.after(4_000, () => this.#resume());
  }

  result(): StoryResult {
    const { cluster, workload } = this;
    return {
      violations: this.#violations,
      firstPrimary: this.#firstPrimary,
      primaryAtEnd: cluster.writable()?.name,
      promotions: this.#promotions,
      fences: this.#fences,
      acknowledged: workload.acknowledged.length,
      lost: workload.lost,
      notPromised: workload.notPromised,
      longestPauseMs: workload.longestPauseMs,
      reasons: [...this.#reasons],
      logicalSlotsAtEnd: [...(cluster.writable()?.server.data?.slots.values() ?? [])]
        .filter(({ logical }) => logical !== undefined)
        .map(({ name }) => name),
      effects: cluster.kernel.effects,
      lostAnswers: cluster.lostAnswers,
      edges: this.#edges,
    };
  }
}
