// One node's HA: ports in, a running loop out. The agent gives it real ports, the simulator simulated ones.

import type { HaWorld } from "../controllers/ha/world.ts";
import type { NodeSettings } from "../model/settings.ts";
import type { Clock } from "../ports/clock.ts";
import type { Fence } from "../ports/fence.ts";
import type { Log } from "../ports/log.ts";
import type { NodeStateFile } from "../ports/node-state.ts";
import type { Peers } from "../ports/peers.ts";
import type { Postgres } from "../ports/postgres.ts";
import type { Random } from "../ports/random.ts";
import type { Store } from "../ports/store.ts";

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
