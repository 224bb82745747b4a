// Does this answer come from a member that lives in the past?
//
// A deposed etcd leader may go on to answer keep-alives for a while. Its answers carry an older raft term than
// one we have seen elsewhere, so they are not relied on. The memory fades, so a store that was rebuilt under the
// same identity with lower terms is not refused for ever.
import type { StoreHeader } from "../../model/cluster.ts";
import { between, type Instant } from "../../model/time.ts";
import type { Clock } from "../../ports/clock.ts";

const REMEMBERED_MS = 10_000;

export interface TermMemory {
  /** False when the answer is older than what we know; remembers it otherwise. */
  accepts(header: StoreHeader): boolean;
}

export function createTermMemory(clock: Clock): TermMemory {
  let highest: { clusterId: string; raftTerm: number; seenAt: Instant } | undefined;
  return {
    accepts({ clusterId, raftTerm }) {
      const now = clock.now();
      const past =
        highest?.clusterId === clusterId &&
        raftTerm < highest.raftTerm &&
        between(highest.seenAt, now) < REMEMBERED_MS;
      if (!past) highest = { clusterId, raftTerm, seenAt: now };
      return !past;
    },
  };
}
