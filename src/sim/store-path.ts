// The way from one client to the store's members, and what can be wrong on it.
import type { Write } from "../ports/store.ts";
import type { Dice } from "./dice.ts";
import type { Network } from "./network.ts";
import type { SimProcess } from "./process.ts";
import type { SimStore, StoreMember } from "./store.ts";

export const reaches = (network: Network, host: string, m: StoreMember): boolean =>
  network.connects(host, m.address);

/** Faults on the path of one client. */
export interface PathFaults {
  /** Share of requests whose answer is lost, and of requests that are applied late. */
  loseAnswers: number;
  applyLate: number;
  watchLagMs: number;
  watchSilent: boolean;
  /** A request and its answer together take so much longer; this share of it on the way there. */
  delayMs: number;
  askShare: number;
}

export const noPathFaults = (): PathFaults => ({
  loseAnswers: 0,
  applyLate: 0,
  watchLagMs: 0,
  watchSilent: false,
  delayMs: 0,
  askShare: 0,
});

export interface StoreClientParts {
  readonly store: SimStore;
  readonly process: SimProcess;
  readonly host: string;
  readonly dice: Dice;
  readonly faults: PathFaults;
  /** Its writes are those of an agent of Patroni's (R35). */
  readonly writesAsStranger: boolean;
  readonly onLostAnswer: () => void;
  /** A transaction of this client has just been applied, answered or not. */
  readonly onApplied: (writes: readonly Write[]) => void;
}
