// T1: instants of one host's clock never cross the network.
//
// Every simulated boot begins at another number, so a number in the store that is close to what the writer's clock
// shows is an instant. Durations and counts are smaller; positions and wall times are larger by orders of magnitude.
import type { MakeChecker } from "./checker.ts";

const LARGEST_DURATION_MS = 60_000;
const NEAR_MS = 20_000;
/** Numbers that stand alone; the halves of an LSN do not, and a lag in a sentence for people says that it is bytes. */
const NUMBERS = /(?<![\w/.])\d+(?![\w/.]| bytes)/g;

export const noInstants: MakeChecker = ({ cluster, violate }) => ({
  see(truth) {
    if (truth.kind !== "stored" || !cluster.hosts.has(truth.host)) return;
    const now = cluster.host(truth.host).clock.now();
    if (now < LARGEST_DURATION_MS + NEAR_MS) return;
    for (const write of truth.writes) {
      // The configuration holds what people have written, a lag in bytes for one.
      if (write.kind !== "put" || write.key.endsWith("/config")) continue;
      const found = write.value.match(NUMBERS)?.find((n) => Math.abs(Number(n) - now) < NEAR_MS);
      if (found !== undefined)
        violate(
          "T1",
          `${truth.host} writes ${found}, an instant of its own clock, to ${write.key}`,
        );
    }
  },
});
