// Whom does a verb mean, and what undoes it?
import type { SimCluster } from "./cluster.ts";
import type { SimHost } from "./host.ts";

export type Undo = () => void;
export const nothing: Undo = () => undefined;

/** The host that plays a part now; undefined when nobody does. */
export function hostFor(cluster: SimCluster, target: string): SimHost | undefined {
  const leader = cluster.store.state.keys.get("/service/demo/leader")?.value;
  const others = cluster.standbys();
  switch (target) {
    case "primary":
      return cluster.writable() ?? (leader === undefined ? undefined : cluster.hosts.get(leader));
    case "standby":
      return others[0];
    case "other":
      return others.at(-1);
    case "leader":
      return leader === undefined ? undefined : cluster.hosts.get(leader);
    case "follower":
      return others.find(({ name }) => name !== leader);
    default:
      return cluster.hosts.get(target);
  }
}
