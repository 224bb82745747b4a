// What does another member say of itself, and how long is it waited for?
//
// A dead host answers nothing: it costs the full wait once, not at every look of a failover. One that is only busy answers
// late: its answer still clears its name, and the next look waits for it again.
import { type Known, unknown } from "../../model/known.ts";
import type { PeerStatus } from "../../model/member.ts";
import { after, type Ms } from "../../model/time.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Peers } from "../../ports/peers.ts";

const PEER_LIMIT_MS: Ms = 500;
const SILENT_LIMIT_MS: Ms = 100;

interface Ports {
  readonly clock: Pick<Clock, "now" | "wakeAt">;
  readonly peers: Pick<Peers, "ask">;
}

/** Who was silent when it was asked last, and who answered since. */
interface Silence {
  heard(name: string, answered: boolean): void;
  wasSilent(name: string): boolean;
}

/** Never throws; whoever was silent is waited for a short while only. */
export function askPeer(
  { clock, peers }: Ports,
  silence: Silence,
  { name, apiUrl }: { readonly name: string; readonly apiUrl: string },
): Promise<Known<PeerStatus>> {
  const isBrief = silence.wasSilent(name);
  const asking = peers.ask(apiUrl, PEER_LIMIT_MS).then((answer) => {
    silence.heard(name, answer.kind === "known");
    return answer;
  });
  if (!isBrief) return asking;
  return new Promise((resolve) => {
    const late = (): void => resolve(unknown(`no answer in ${SILENT_LIMIT_MS} ms`, clock.now()));
    const timer = clock.wakeAt(after(clock.now(), SILENT_LIMIT_MS), late);
    const answered = (answer: Known<PeerStatus>): void => {
      timer.cancel();
      resolve(answer);
    };
    void asking.then(answered);
  });
}
