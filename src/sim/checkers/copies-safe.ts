// S21: who is promoted with a copy of a logical slot has had the old primary keep what its reader needs.
import { FEEDBACK_MS } from "../postgres-slots.ts";
import type { MakeChecker } from "./checker.ts";

export const copiesSafe: MakeChecker = ({ cluster, violate }) => {
  let lastWriter: { readonly host: string; readonly at: number } | undefined;
  return {
    see(truth, at) {
      if (truth.kind === "writable" && !truth.on) lastWriter = { host: truth.host, at };
      if (truth.kind !== "promotion-begun" || lastWriter === undefined) return;
      const { server, clock } = cluster.host(truth.host);
      const copies = [...(server.data?.slots.values() ?? [])].filter(
        (s) => s.logical !== undefined,
      );
      const startedAgoMs = clock.now() - (server.run?.startedAt ?? clock.now());
      // What the dead primary had time to hear, on the promoted host's own clock.
      const heardMs = startedAgoMs - (at - lastWriter.at);
      if (copies.length === 0 || lastWriter.host === truth.host || heardMs >= FEEDBACK_MS * 0.98)
        return;
      const names = copies.map(({ name }) => name).join(", ");
      violate(
        "S21",
        `${truth.host} is promoted with ${names}, of which ${lastWriter.host} knew nothing`,
      );
    },
  };
};
