// The port to the other members' agents.
import type { Known } from "../model/known.ts";
import type { PeerStatus } from "../model/member.ts";
import type { PromiseAnswer, PromiseAsked } from "../model/promise.ts";
import type { Ms } from "../model/time.ts";

export interface Peers {
  /** Asks one member directly. Never throws: silence is an answer of its own. */
  ask(apiUrl: string, timeoutMs: Ms): Promise<Known<PeerStatus>>;
  /** Whether anything of a member answers at this address, whatever it says. Never throws. */
  reach(apiUrl: string, timeoutMs: Ms): Promise<boolean>;
  /** Asks the member `to` at this address for a promise not to race. Never throws: silence is no promise. */
  promise(
    apiUrl: string,
    asked: PromiseAsked & { readonly to: string },
    timeoutMs: Ms,
  ): Promise<PromiseAnswer>;
}
