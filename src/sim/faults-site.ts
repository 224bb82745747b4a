// What happens at the other site.
import type { Verb } from "../scenario/verbs.ts";
import type { SimCluster } from "./cluster.ts";
import { nothing, type Undo } from "./fault-target.ts";

export function playOnSite({ remote }: SimCluster, verb: Verb): Undo {
  if (remote === undefined) return nothing;
  switch (verb.do) {
    case "siteDown":
      remote.setReachable(false);
      return () => remote.setReachable(true);
    case "siteFailsOver":
      remote.failOver(verb.lostBytes);
      return nothing;
    case "siteReplaced": {
      const { systemId } = remote;
      remote.replace();
      return () => remote.restore(systemId);
    }
    case "siteDropsSlot":
      remote.setSlot(false);
      return () => remote.setSlot(true);
    default:
      throw new Error(`not a verb of the other site: ${verb.do}`);
  }
}
