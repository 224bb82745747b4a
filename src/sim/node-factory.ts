// What the simulation starts on each host: the real node, or a toy in the simulator's own tests.
import type { DynamicConfig } from "../model/config.ts";
import type { PeerStatus } from "../model/member.ts";
import type { PromiseAnswer, PromiseAsked } from "../model/promise.ts";
import type { Instant } from "../model/time.ts";
import type { NodeOptions, NodePorts, RepopulateOutcome, RepopulateWish } from "../node/node.ts";

/** What the loop of a node has last seen and decided, as far as a checker asks for it. */
export interface LastWord {
  readonly world: {
    readonly now: Instant;
    readonly lease: { readonly held: { readonly term: number } | undefined };
    readonly config: Pick<DynamicConfig, "ttlMs" | "loopWaitMs" | "retryTimeoutMs">;
  };
  readonly decision: {
    readonly because: string;
    readonly step?: { readonly kind: string };
    readonly vouch: boolean;
  };
}

export interface SimNode {
  last?(): LastWord | undefined;
  freshLook(): Promise<{ readonly peer: PeerStatus }>;
  promise(asked: PromiseAsked): Promise<PromiseAnswer>;
  requestRestart(): void;
  requestReinitialise(): void;
  repopulate(wish: RepopulateWish): Promise<RepopulateOutcome>;
  stop(): Promise<void>;
  detach(): Promise<void>;
}

export type NodeFactory = (ports: NodePorts, options: NodeOptions) => Promise<SimNode>;
