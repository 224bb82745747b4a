// S18: a primary runs without a deadline only while the store names it, and while it does nobody else is elected.
import { parseUnguarded } from "../../model/wire/dcs.ts";
import { OUTSIDE } from "../cluster.ts";
import type { MakeChecker } from "./checker.ts";

const KEY = "/service/demo/unguarded";

export const recordedFirst: MakeChecker = ({ cluster, violate }) => {
  /** As it stands in the cluster's own store, or stood when another one took its place. */
  let named: string | undefined;
  const runsFree = (host: string): boolean => {
    const { fence, server } = cluster.host(host);
    return (
      fence?.process.isAlive === true && fence.unguarded !== undefined && server.run !== undefined
    );
  };
  return {
    see(truth) {
      const { isForeign, state } = cluster.store;
      if (!isForeign) named = parseUnguarded(state.keys.get(KEY)?.value)?.member;
      if (truth.kind === "fence-unguarded" && named !== truth.host)
        violate("S18", `${truth.host} runs without a deadline, and the store names ${named}`);
      if (truth.kind !== "stored" || isForeign) return;
      const isGone = truth.writes.some((w) => w.key === KEY && w.kind === "delete");
      if (isGone && truth.host !== OUTSIDE && runsFree(truth.host))
        violate("S18", `${truth.host} says that it is guarded, and its fence has no deadline`);
      const isElected = truth.writes.some((w) => w.kind === "put" && w.key.endsWith("/leader"));
      if (isElected && named !== undefined && named !== truth.host)
        violate("S18", `${truth.host} is elected while ${named} may run without a deadline`);
    },
  };
};
