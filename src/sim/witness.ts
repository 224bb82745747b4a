// What must the checkers know of an agent's dealings with the store? Its looks, the renewals that it sends, and the
// promises that stand in for them.
import { validUntil } from "../model/lease.ts";
import { instant } from "../model/time.ts";
import { parseHold } from "../model/wire/dcs.ts";
import type { NodePorts } from "../node/node.ts";
import type { Peers } from "../ports/peers.ts";
import type { Store, Write } from "../ports/store.ts";
import type { SimHost } from "./host.ts";

interface SignOfLife {
  /** 0 when the term begins with this very write. */
  readonly term: number;
  readonly holdMs: number;
}

/** The ports of one agent, with a witness at the store's. It changes nothing. `termBase`: of the store that answers. */
export function witnessed(ports: NodePorts, host: SimHost, termBase: () => number): NodePorts {
  const { store } = ports;
  const { truth, clock, name } = host;
  const told: Store = {
    range: (prefix, options) => {
      truth.tell({ kind: "look", host: name });
      return store.range(prefix, options);
    },
    commit: (compares, writes, options) => {
      const sentAt = instant(clock.now());
      const answer = store.commit(compares, writes, options);
      const sign = signOfLife(writes);
      if (sign === undefined) return answer;
      if (sign.term !== 0) truth.tell({ kind: "renewal-sent", host: name, term: sign.term });
      const until = validUntil(sentAt, sign.holdMs);
      return answer.then((commit) => {
        const term = sign.term === 0 ? commit.header.revision + termBase() : sign.term;
        if (commit.succeeded) truth.tell({ kind: "lease-confirmed", host: name, term, until });
        return commit;
      });
    },
    grant: (leaseId, ttlMs, options) => store.grant(leaseId, ttlMs, options),
    keepAlive: (leaseId, options) => store.keepAlive(leaseId, options),
    watch: (prefix, onEvents, onGap, signal) => store.watch(prefix, onEvents, onGap, signal),
  };
  return { ...ports, store: told, peers: witnessedPeers(ports, host) };
}

function witnessedPeers({ peers }: NodePorts, { truth, clock, name }: SimHost): Peers {
  return {
    ask: (apiUrl, timeoutMs) => peers.ask(apiUrl, timeoutMs),
    reach: (apiUrl, timeoutMs) => peers.reach(apiUrl, timeoutMs),
    promise: async (apiUrl, asked, timeoutMs) => {
      const until = validUntil(instant(clock.now()), asked.durationMs);
      const answer = await peers.promise(apiUrl, asked, timeoutMs);
      const { term, to } = asked;
      if (answer.kind === "promised") truth.tell({ kind: "promised", host: name, term, to, until });
      return answer;
    },
  };
}

/** The hold that an acquire or a renewal writes; a release is none. */
function signOfLife(writes: readonly Write[]): SignOfLife | undefined {
  const write = writes.find((w) => w.kind === "put" && w.key.endsWith("/hold"));
  if (write?.kind !== "put") return undefined;
  const isAcquire = writes.some((w) => w.kind === "put" && w.key.endsWith("/leader"));
  const hold = parseHold(write.value, 0, 0);
  if (hold.released !== undefined) return undefined;
  return { term: isAcquire ? 0 : hold.term, holdMs: hold.holdMs };
}
