// S4: terms and timelines only grow; one promotion a term; a timeline number names one branch only.
import type { MakeChecker } from "./checker.ts";

export const historyGrows: MakeChecker = ({ cluster, violate }) => {
  const terms = new Map<number, string>();
  const timelines = new Map<number, number>();
  let newest = 1;
  return {
    see(truth, at) {
      if (truth.kind !== "promoted" || cluster.host(truth.host).excusedUntil >= at) return;
      const { branch, host, term } = truth;
      const other = timelines.get(branch.timeline);
      if (other !== undefined && other !== branch.id) {
        violate(
          "S4",
          `${host} promotes to timeline ${branch.timeline}, which is another branch already`,
        );
      } else if (branch.timeline <= newest) {
        violate("S4", `${host} promotes to timeline ${branch.timeline} after ${newest}`);
      }
      timelines.set(branch.timeline, branch.id);
      newest = Math.max(newest, branch.timeline);
      const before = terms.get(term);
      if (before !== undefined) violate("S4", `${host} promotes in term ${term}, as ${before} did`);
      terms.set(term, host);
    },
  };
};
