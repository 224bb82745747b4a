// One node's HA: ports in, a running loop out. The agent gives it real ports, the simulator simulated ones.

import type { Decision } from "../controllers/controller.ts";
import type { HaStep } from "../controllers/ha/steps.ts";
import type { HaMemory, HaWorld, Requests } from "../controllers/ha/world.ts";
import type { ClusterSnapshot } from "../model/cluster.ts";
import type { PeerStatus } from "../model/member.ts";
import type { PromiseAnswer, PromiseAsked } from "../model/promise.ts";
import type { ScheduledRestart } from "../model/restart.ts";
import type { LocalServer } from "../model/server.ts";
import type { NodeSettings } from "../model/settings.ts";
import type { Instant, Ms } from "../model/time.ts";
import type { Clock } from "../ports/clock.ts";
import type { ClusterFacts, Dcs } from "../ports/dcs.ts";
import type { Fence, FenceStatus } from "../ports/fence.ts";
import type { LeaseView } from "../ports/lease.ts";
import type { Log } from "../ports/log.ts";
import type { NodeStateFile } from "../ports/node-state.ts";
import type { Peers } from "../ports/peers.ts";
import type { Postgres } from "../ports/postgres.ts";
import type { Random } from "../ports/random.ts";
import type { Store } from "../ports/store.ts";
import type { Journal } from "../runtime/journal.ts";

export interface NodePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly store: Store;
  readonly postgres: Postgres;
  readonly fence: Fence;
  readonly peers: Peers;
  readonly state: NodeStateFile;
}

export interface NodeOptions {
  readonly settings: NodeSettings;
  readonly agentVersion: string;
  /** Hears of every look, after the decision; it must neither wait nor throw. */
  readonly onLook?: (world: HaWorld) => void;
}

/** Whose data is copied, and whether what runs already is given up for it. */
export type Reinitialise = Omit<NonNullable<Requests["reinitialise"]>, "at">;

export interface LastLook {
  readonly world: HaWorld;
  readonly decision: Decision<HaStep, HaMemory>;
  /** How long looking and deciding took. */
  readonly tookMs: Ms;
  /** Since when the reason has been the same. */
  readonly since: Instant;
}

export interface RepopulateWish {
  /** Members that are gone for good: they need not answer. */
  readonly without: readonly string[];
  /** Only judges, and says what would be written. */
  readonly isDryRun: boolean;
}

export type RepopulateOutcome =
  | { readonly kind: "refused"; readonly why: string; readonly next: string }
  | { readonly kind: "possible" | "written"; readonly facts: ClusterFacts };

/** The own server as it is at this moment, and what is told of it to others. */
export interface FreshLook {
  readonly server: { readonly seen: LocalServer; readonly at: Instant };
  readonly peer: PeerStatus;
}

/** A running node, as the API, the agent's main and the simulator see it. */
export interface Node {
  /** The last world and what was decided in it; undefined before the first look. */
  last(): LastLook | undefined;
  /** The last snapshot that could be read, however old. */
  lastCluster(): { readonly seen: ClusterSnapshot; readonly at: Instant } | undefined;
  lease(): LeaseView;
  fence(): FenceStatus;
  requests(): Requests;
  readonly dcs: Dcs;
  readonly journal: Journal<HaWorld>;
  /** A fresh look at the own server, and what a peer that has to choose is told of it. */
  freshLook(): Promise<FreshLook>;
  /** The same from the last look. */
  peerStatusNow(): PeerStatus | undefined;
  /** A primary that cannot reach the store asks this member not to race (R27). */
  promise(asked: PromiseAsked): Promise<PromiseAnswer>;
  /** Begins to look, decide and act; the fence is found or started first. */
  start(): Promise<void>;
  requestRestart(): void;
  /** A restart for later, or none any more; resolves when it is on disk. Throws PG_DISK_FULL or NOT_POSSIBLE. */
  scheduleRestart(planned: ScheduledRestart | undefined): Promise<void>;
  requestReinitialise(how?: Reinitialise): void;
  /** Undefined takes a wish back that was not fulfilled in its time. */
  requestDropSlot(name: string | undefined): void;
  /** The node's file was read again: tags and server parameters hold from the next look on. */
  reconfigure(settings: NodeSettings): void;
  settings(): NodeSettings;
  /** Tells a store that has lost the cluster about it (R31). Throws STORE_… */
  repopulate(wish: RepopulateWish): Promise<RepopulateOutcome>;
  /** Look at the world now: somebody wrote an intent. */
  wake(why: string): void;
  /** PostgreSQL down, leadership handed over; resolves when the agent may leave. */
  stop(): Promise<void>;
  /** Leaves PostgreSQL running under the fence, for an upgrade of the agent. */
  detach(): Promise<void>;
  /** Ends the loops and nothing else. */
  abandon(): void;
}
