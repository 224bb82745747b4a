// Lies about what the other members promised.
import { known } from "../model/known.ts";
import type { PeerStatus } from "../model/member.ts";
import { DEFAULT_TAGS } from "../model/settings.ts";
import type { NodePorts } from "../node/node.ts";
import type { Peers } from "../ports/peers.ts";

/** Peers with some questions replaced; the rest goes to the real ones. */
export function peersWith(peers: Peers, change: Partial<Peers>): Peers {
  return {
    ask: (apiUrl, timeoutMs) => peers.ask(apiUrl, timeoutMs),
    reach: (apiUrl, timeoutMs) => peers.reach(apiUrl, timeoutMs),
    promise: (apiUrl, asked, timeoutMs) => peers.promise(apiUrl, asked, timeoutMs),
    ...change,
  };
}

/** Outlives its time: the others promise for a quarter of what the holder counts. */
export function promisesTooShortly(ports: NodePorts): NodePorts {
  const { peers } = ports;
  return {
    ...ports,
    peers: peersWith(peers, {
      promise: (apiUrl, asked, timeoutMs) =>
        peers.promise(apiUrl, { ...asked, durationMs: asked.durationMs / 4 }, timeoutMs),
    }),
  };
}

/** One missing: silence counts as a promise. */
export function takesSilenceForPromise(ports: NodePorts): NodePorts {
  const { peers } = ports;
  return {
    ...ports,
    peers: peersWith(peers, {
      promise: async (apiUrl, asked, timeoutMs) => {
        const answer = await peers.promise(apiUrl, asked, timeoutMs);
        return answer.kind === "unknown" ? { kind: "promised" } : answer;
      },
    }),
  };
}

/** What a silent member never said. */
const REFUSAL: PeerStatus = {
  name: "",
  role: "standby",
  state: "running",
  position: undefined,
  timeline: undefined,
  lineage: [],
  tags: DEFAULT_TAGS,
  unfit: "does not answer",
  watchdogFailed: false,
  promisedTerm: undefined,
};

/** Silence taken for no: a member that is late with one answer counts as one that cannot lead. */
export function takesSilenceForNo(ports: NodePorts): NodePorts {
  const { peers } = ports;
  return {
    ...ports,
    peers: peersWith(peers, {
      ask: async (apiUrl, timeoutMs) => {
        const answer = await peers.ask(apiUrl, timeoutMs);
        return answer.kind === "unknown" ? known(REFUSAL, answer.at) : answer;
      },
    }),
  };
}

/** Stopping taken for running: whoever calls itself demoted counts as a primary until its server has ended. */
export function takesStoppingForRunning(ports: NodePorts): NodePorts {
  const { peers } = ports;
  const asRunning = (peer: PeerStatus): PeerStatus =>
    peer.role === "demoted" && peer.state === "stopping" ? { ...peer, state: "running" } : peer;
  return {
    ...ports,
    peers: peersWith(peers, {
      ask: async (apiUrl, timeoutMs) => {
        const answer = await peers.ask(apiUrl, timeoutMs);
        return answer.kind === "known" ? { ...answer, value: asRunning(answer.value) } : answer;
      },
    }),
  };
}

/** Not kept: what was promised is acknowledged and forgotten. */
export function forgetsPromises(ports: NodePorts): NodePorts {
  const { state } = ports;
  return {
    ...ports,
    state: {
      current: () => ({ ...state.current(), promise: undefined }),
      update: (change) => state.update(change),
    },
  };
}
