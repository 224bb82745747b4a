// What does a node measure of the availability of writes? Only what its owner has named, nothing by itself.
import type { Address } from "./address.ts";
import type { Objective } from "./budget.ts";
import type { Secret } from "./secret.ts";
import type { Ms } from "./time.ts";

/** The servers that stand behind one way in; the first one that takes writes is written to. */
export interface ProbePath {
  readonly name: string;
  readonly addresses: readonly Address[];
}

export interface AvailabilitySettings {
  readonly database: string;
  readonly table: string;
  readonly username: string;
  readonly password: Secret | undefined;
  readonly everyMs: Ms;
  /** A write that takes longer counts as an outage from its beginning on. */
  readonly slowMs: Ms;
  readonly paths: readonly ProbePath[];
  readonly objective: Objective;
}
