// The Peers port of one agent: a question over the network, answered by the other agent itself.
import { known, unknown } from "../model/known.ts";
import type { PeerStatus } from "../model/member.ts";
import type { PromiseAnswer, PromiseAsked } from "../model/promise.ts";
import { instant, type Ms } from "../model/time.ts";
import type { Peers } from "../ports/peers.ts";
import type { HostClock } from "./clock.ts";
import type { Kernel } from "./kernel.ts";
import type { Network } from "./network.ts";
import type { SimProcess } from "./process.ts";

/** An agent that can be asked: its process and its answers. */
export interface AskedAgent {
  readonly process: SimProcess;
  status(): Promise<PeerStatus>;
  promise(asked: PromiseAsked): Promise<PromiseAnswer>;
}

/** Finds the agent behind an address. */
export interface PeerBook {
  agentAt(host: string): AskedAgent | undefined;
}

interface Question<T> {
  readonly apiUrl: string;
  readonly timeoutMs: Ms;
  readonly ask: (agent: AskedAgent) => Promise<T>;
  readonly silence: (why: string) => T;
}

/** Every host of the simulation has an address of one form. */
const hostOf = (apiUrl: string): string => apiUrl.split(/[:/]+/)[1] ?? "";

/** Whoever asks: a host, or a router. */
export interface Asker {
  readonly name: string;
  readonly kernel: Kernel;
  readonly network: Network;
  readonly clock: HostClock;
}

export function simPeers(host: Asker, process: SimProcess, book: PeerBook): Peers {
  function question<T>({ apiUrl, timeoutMs, ask, silence }: Question<T>): Promise<T> {
    return new Promise((resolve) => {
      let isOver = false;
      const name = hostOf(apiUrl);
      const answer = (result: T): void => {
        process.deliver(() => {
          if (isOver) return;
          isOver = true;
          timeout.cancel();
          resolve(result);
        });
      };
      const timeout = host.kernel.after(timeoutMs, () => answer(silence("no answer in time")));
      const refused = (): void => {
        if (!host.network.connects(host.name, name)) return;
        host.kernel.after(1, () => answer(silence("connection refused")));
      };
      process.send(() => {
        if (book.agentAt(name) === undefined) refused();
        host.network.message(host.name, name, () => {
          const peer = book.agentAt(name);
          if (peer === undefined) refused();
          peer?.process.onDeath(refused); // the kernel of its host closes the connection
          peer?.process.deliver(() => {
            void ask(peer).then(
              (result) => host.network.message(name, host.name, () => answer(result)),
              () => undefined, // an agent that cannot answer is silent
            );
          });
        });
      });
    });
  }

  return {
    ask(apiUrl, timeoutMs) {
      // The age of an answer counts from the moment before it was asked for.
      const askedAt = instant(host.clock.now());
      return question({
        apiUrl,
        timeoutMs,
        ask: async (agent) => known(await agent.status(), askedAt),
        silence: (why) => unknown<PeerStatus>(why, askedAt),
      });
    },
    reach: (apiUrl, timeoutMs) =>
      question({
        apiUrl,
        timeoutMs,
        ask: () => Promise.resolve(true),
        silence: () => false,
      }),
    promise: (apiUrl, asked, timeoutMs) =>
      question<PromiseAnswer>({
        apiUrl,
        timeoutMs,
        ask: (agent) => agent.promise(asked),
        silence: (why) => ({ kind: "unknown", why }),
      }),
  };
}
