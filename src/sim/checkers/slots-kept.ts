// S20: a slot is dropped only if it was ours, and only after its member has been away for as long as slots are kept.
import { slotNameOf } from "../../model/slot.ts";
import type { SimHost } from "../host.ts";
import type { MakeChecker } from "./checker.ts";

/** Clocks differ by 1 %, and the presence of a member is sampled. */
const CLOCK_SHARE = 0.98;
const SAMPLE_MS = 1_000;
const DEFAULT_TTL_S = 1_800;

/** One whose processes stand still serves nobody, whatever it was. */
const serves = ({ server }: SimHost): boolean =>
  server.canAcknowledge() && server.run?.frozen === false;

export const slotsKept: MakeChecker = ({ cluster, violate }) => {
  const asked = cluster.options.config["member_slots_ttl"];
  const ttlMs = (typeof asked === "number" ? asked : DEFAULT_TTL_S) * 1_000;
  const lastSeen = new Map<string, number>();
  const servedBefore = new Map<string, boolean>();
  let sampledAt = Number.NEGATIVE_INFINITY;
  const sample = (at: number): void => {
    if (at < sampledAt + SAMPLE_MS || cluster.store.isForeign) return;
    sampledAt = at;
    for (const name of cluster.hosts.keys()) {
      // A primary lives on by its peers' promises when it cannot reach the store and its key has ended. One seen
      // for a single moment does not: it has slept past its deadline, and its fence stops it as it wakes.
      const isServing = serves(cluster.host(name));
      const livesOn = isServing && servedBefore.get(name) === true;
      servedBefore.set(name, isServing);
      const isThere = livesOn || cluster.store.state.keys.has(`/service/demo/members/${name}`);
      if (isThere) lastSeen.set(slotNameOf(name), at);
    }
  };
  return {
    see(truth, at) {
      sample(at);
      if (truth.kind !== "slot-dropped") return;
      const { host, slot, isOurs } = truth;
      if (!isOurs) violate("S20", `${host} drops the slot ${slot}, which it did not make`);
      const awayMs = at - (lastSeen.get(slot) ?? Number.NEGATIVE_INFINITY);
      if (awayMs < ttlMs * CLOCK_SHARE - 2 * SAMPLE_MS) {
        violate("S20", `${host} drops the slot ${slot}, whose member was there ${awayMs} ms ago`);
      }
    },
  };
};
