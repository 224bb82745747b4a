// S22: no server of a cluster that follows another site is opened to writes.
import type { MakeChecker } from "./checker.ts";

/** What was decided before a person said so may still be carried out for so long. */
const UNDER_WAY_MS = 5_000;

export const followsSite: MakeChecker = ({ cluster, violate }) => {
  let since: number | undefined;
  return {
    see(truth, at) {
      if (truth.kind === "stored") {
        const isEdit = truth.writes.some(({ key }) => key.endsWith("/config"));
        if (isEdit) since = cluster.followsSite() ? (since ?? at) : undefined;
        return;
      }
      const opens = truth.kind === "promotion-begun" || truth.kind === "start-as-primary";
      if (!opens || since === undefined || at <= since + UNDER_WAY_MS) return;
      // A store that was another one for a while comes back without a write.
      if (cluster.followsSite())
        violate("S22", `${truth.host}: ${truth.kind} although the cluster follows another site`);
    },
  };
};
