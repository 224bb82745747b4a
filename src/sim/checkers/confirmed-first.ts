// T3: no fence is armed for longer than the store has confirmed to its host, or all who could take over have promised.
import { parseRoster } from "../../model/wire/dcs.ts";
import type { MakeChecker } from "./checker.ts";

/** Two readings of one clock are rounded. */
const ROUNDING_MS = 1;

export const confirmedFirst: MakeChecker = ({ cluster, violate }) => {
  const confirmed = new Map<string, number>();
  const note = (key: string, until: number): void => {
    confirmed.set(key, Math.max(until, confirmed.get(key) ?? until));
  };
  /** As it stands in the cluster's own store, or stood when another one took its place. */
  let list: string | undefined;
  let listed: readonly string[] | undefined;
  /** Until when everybody else in the list, as it stands in the store, has given its word to this host. */
  const promisedUntil = (host: string, term: number): number => {
    if (listed === undefined) return Number.NEGATIVE_INFINITY;
    const rivals = listed.filter((name) => name !== host);
    const words = rivals.map((to) => confirmed.get(`${host} ${term} ${to}`) ?? -Infinity);
    return Math.min(...words);
  };
  const look = (): void => {
    const { isForeign, state } = cluster.store;
    const text = state.keys.get("/service/demo/known")?.value;
    if (isForeign || text === list) return;
    list = text;
    const roster = parseRoster(text);
    listed = roster === undefined ? undefined : Object.keys(roster);
  };
  return {
    see(truth) {
      look();
      if (truth.kind === "lease-confirmed") note(`${truth.host} ${truth.term}`, truth.until);
      if (truth.kind === "promised") note(`${truth.host} ${truth.term} ${truth.to}`, truth.until);
      if (truth.kind !== "fence-armed") return;
      const { host, term } = truth;
      const until = Math.max(
        confirmed.get(`${host} ${term}`) ?? Number.NEGATIVE_INFINITY,
        promisedUntil(host, term),
      );
      if (truth.until <= until + ROUNDING_MS) return;
      const by = Number.isFinite(until) ? `${Math.round(truth.until - until)} ms longer` : "before";
      violate("T3", `the fence of ${host} is armed ${by} than was confirmed or promised`);
    },
  };
};
