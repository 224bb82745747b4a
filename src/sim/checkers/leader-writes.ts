// S10: what only the leader writes is written by the leader of that moment, never by one that was deposed meanwhile.
import type { MakeChecker } from "./checker.ts";

const LEADER = "/service/demo/leader";
const LEADERS_OWN = ["hold", "status", "history", "lineage", "sync", "known", "failsafe"].map(
  (key) => `/service/demo/${key}`,
);

export const leaderWrites: MakeChecker = ({ cluster, violate }) => ({
  see(truth) {
    if (truth.kind !== "stored" || !cluster.hosts.has(truth.host)) return;
    // Acquire, release and the removal of a stale key change the leader itself: S1 and S4 judge those.
    if (truth.writes.some((w) => w.key === LEADER)) return;
    const written = truth.writes.find((w) => LEADERS_OWN.includes(w.key));
    if (written === undefined) return;
    const leader = cluster.store.state.keys.get(LEADER);
    const mine = cluster.host(truth.host).disk.nodeState.leaseId;
    if (leader !== undefined && leader.lease === mine) return;
    const who = leader === undefined ? "nobody leads" : `${leader.value} leads`;
    violate("S10", `${truth.host} writes ${written.key} while ${who}`);
  },
});
