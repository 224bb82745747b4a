// What the simulation starts on each host: the real node, or a toy in the simulator's own tests.
import type { PeerStatus } from "../model/member.ts";
import type { NodeOptions, NodePorts } from "../node/node.ts";

export interface SimNode {
  peerStatus(): Promise<PeerStatus>;
  requestRestart(): void;
  requestReinitialise(): void;
  stop(): Promise<void>;
  detach(): Promise<void>;
}

export type NodeFactory = (ports: NodePorts, options: NodeOptions) => Promise<SimNode>;
