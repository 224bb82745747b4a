// The Peers port of one agent: a question over the network, answered by the other agent's own status.
import { type Known, known, unknown } from "../model/known.ts";
import type { PeerStatus } from "../model/member.ts";
import { instant, type Ms } from "../model/time.ts";
import type { Peers } from "../ports/peers.ts";
import type { SimHost } from "./host.ts";
import type { SimProcess } from "./process.ts";

/** Finds the agent behind an address: its process and its answer. */
export interface PeerBook {
  agentAt(
    host: string,
  ): { readonly process: SimProcess; status(): Promise<PeerStatus> } | undefined;
}

export function simPeers(host: SimHost, process: SimProcess, book: PeerBook): Peers {
  return {
    ask: (apiUrl: string, timeoutMs: Ms): Promise<Known<PeerStatus>> =>
      new Promise((resolve) => {
        let isOver = false;
        const name = new URL(apiUrl).hostname;
        const answer = (result: Known<PeerStatus>): void => {
          process.deliver(() => {
            if (isOver) return;
            isOver = true;
            timeout.cancel();
            resolve(result);
          });
        };
        const now = () => instant(host.clock.now());
        const timeout = host.kernel.after(timeoutMs, () =>
          answer(unknown("no answer in time", now())),
        );
        const refused = (): void => {
          if (!host.network.connects(host.name, name)) return;
          host.kernel.after(1, () => answer(unknown("connection refused", now())));
        };
        process.send(() => {
          if (book.agentAt(name) === undefined) refused();
          host.network.message(host.name, name, () => {
            const peer = book.agentAt(name);
            if (peer === undefined) refused();
            peer?.process.onDeath(refused); // the kernel of its host closes the connection
            peer?.process.deliver(() => {
              void peer.status().then(
                (status) =>
                  host.network.message(name, host.name, () => answer(known(status, now()))),
                () => undefined, // an agent that cannot answer is silent
              );
            });
          });
        });
      }),
  };
}
