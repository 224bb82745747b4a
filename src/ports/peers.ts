// The port to the other members' agents.
import type { Known } from "../model/known.ts";
import type { PeerStatus } from "../model/member.ts";
import type { Ms } from "../model/time.ts";

export interface Peers {
  /** Asks one member directly. Never throws: silence is an answer of its own. */
  ask(apiUrl: string, timeoutMs: Ms): Promise<Known<PeerStatus>>;
}
