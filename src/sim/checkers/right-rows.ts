// S7: no member serves rows of another history. S8: data are never removed before a replacement is complete.
import { contains } from "../wal.ts";
import type { MakeChecker } from "./checker.ts";

export const rightRows: MakeChecker = ({ cluster, violate }) => ({
  see(truth) {
    if (truth.kind !== "wrong-rows") return;
    violate(
      "S7",
      `${truth.host} follows ${truth.upstream} on timeline ${truth.timeline} with rows of another history`,
    );
  },
  finish() {
    const data = cluster.writable()?.server.data;
    if (data === undefined) return;
    for (const standby of cluster.standbys()) {
      const mine = standby.server.data;
      if (mine === undefined || standby.server.run?.receiver?.isStreaming() !== true) continue;
      if (!contains(data.branch, data.end, mine.branch, mine.flushed)) {
        violate("S7", `${standby.name} streams, but its rows are not the primary's`);
      }
    }
  },
});

export const dataKept: MakeChecker = ({ cluster, violate }) => ({
  see(truth) {
    if (truth.kind !== "data-removed" || truth.hadReplacement) return;
    const initialised = cluster.store.state.keys.get("/service/demo/initialize")?.value;
    if (initialised === truth.systemId) {
      violate(
        "S8",
        `${truth.host} removes its data directory of this cluster without a replacement`,
      );
    }
  },
});
