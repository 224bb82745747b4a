// S20: a slot is dropped only if it was ours, and only after its member has been away for as long as slots are kept.
import { slotNameOf } from "../../model/slot.ts";
import type { SimCluster } from "../cluster.ts";
import type { SimHost } from "../host.ts";
import type { MakeChecker } from "./checker.ts";

/** Clocks differ by 1 %, and the presence of a member is sampled. */
const CLOCK_SHARE = 0.98;
const SAMPLE_MS = 1_000;
const DEFAULT_TTL_S = 1_800;
/** When the store has answered nobody for so long, every agent has looked in vain. */
const VAIN_MS = 40_000;

/** One whose processes stand still serves nobody, whatever it was. */
const serves = ({ server }: SimHost): boolean =>
  server.canAcknowledge() && server.run?.frozen === false;

/** Somebody can prolong its deadline or end it. */
const isMinded = ({ agent, fence }: SimHost): boolean =>
  agent?.isRunning === true || fence?.process.isRunning === true;

/** A member's latest stay, and when the one before it ended. */
interface Stay {
  readonly since: number;
  readonly until: number;
  readonly before: number;
}

const NEVER: Stay = {
  since: Number.NEGATIVE_INFINITY,
  until: Number.NEGATIVE_INFINITY,
  before: Number.NEGATIVE_INFINITY,
};

/** Who is there, and since when? */
class Presence {
  readonly #cluster: SimCluster;
  readonly #stays = new Map<string, Stay>();
  readonly #servedBefore = new Map<string, boolean>();
  #sampledAt = Number.NEGATIVE_INFINITY;
  #answeredAt = Number.NEGATIVE_INFINITY;

  constructor(cluster: SimCluster) {
    this.#cluster = cluster;
  }

  sample(at: number): void {
    const { store } = this.#cluster;
    if (at < this.#sampledAt + SAMPLE_MS || store.isForeign) return;
    if (store.members.some((m) => store.serves(m))) this.#answeredAt = at;
    for (const name of this.#cluster.hosts.keys()) {
      if (!this.#isThere(name, at)) continue;
      const slot = slotNameOf(name);
      const { since, before, until } = this.#stays.get(slot) ?? NEVER;
      const isNew = until < this.#sampledAt;
      this.#stays.set(
        slot,
        isNew ? { since: at, before: until, until: at } : { since, before, until: at },
      );
    }
    this.#sampledAt = at;
  }

  #isThere(name: string, at: number): boolean {
    const host = this.#cluster.host(name);
    // A primary lives on by its peers' promises when it cannot reach the store and its key has ended. One seen
    // for a single moment does not: it has slept past its deadline, and its fence stops it as it wakes.
    // Nor does one that nobody is left to end, which is a stated limit.
    const isServing = serves(host) && isMinded(host);
    const livesOn = isServing && this.#servedBefore.get(name) === true;
    this.#servedBefore.set(name, isServing);
    // Nobody can have seen that it was away, and it had nobody to tell that it was not.
    const isUnheard = at >= this.#answeredAt + VAIN_MS && host.agent?.isRunning === true;
    const hasKey = this.#cluster.store.state.keys.has(`/service/demo/members/${name}`);
    return livesOn || isUnheard || hasKey;
  }

  /** When the member of this slot was there last, as far as a look that began then could show it. */
  lastSeen(slot: string, lookedAt: number): number {
    const { since, until, before } = this.#stays.get(slot) ?? NEVER;
    return since > lookedAt ? before : until;
  }
}

export const slotsKept: MakeChecker = ({ cluster, violate }) => {
  const asked = cluster.options.config["member_slots_ttl"];
  const ttlMs = (typeof asked === "number" ? asked : DEFAULT_TTL_S) * 1_000;
  const presence = new Presence(cluster);
  const lookedAt = new Map<string, number>();
  return {
    see(truth, at) {
      presence.sample(at);
      if (truth.kind === "look") lookedAt.set(truth.host, at);
      if (truth.kind !== "slot-dropped") return;
      const { host, slot, isOurs } = truth;
      if (!isOurs) violate("S20", `${host} drops the slot ${slot}, which it did not make`);
      // Who comes back between a look and what is done upon it cannot be known.
      const awayMs = at - presence.lastSeen(slot, lookedAt.get(host) ?? at);
      if (awayMs < ttlMs * CLOCK_SHARE - 2 * SAMPLE_MS) {
        violate("S20", `${host} drops the slot ${slot}, whose member was there ${awayMs} ms ago`);
      }
    },
  };
};
