// S21: who is promoted with a copy of a logical slot has had the old primary keep what its reader needs, and no reader is
// sent what comes after a gap.
import { FEEDBACK_MS } from "../postgres-slots.ts";
import type { MakeChecker } from "./checker.ts";

export const copiesSafe: MakeChecker = ({ cluster, violate }) => {
  /** Who was opened to writes last, and when that ended; undefined while it is open. */
  let writer: { readonly host: string; readonly closedAt?: number } | undefined;
  /** Since when a host's server has spoken of its copies; undefined until it starts with them. */
  const speaksSince = new Map<string, number | undefined>();
  const hear = (host: string, at: number): void => {
    if (speaksSince.has(host) && speaksSince.get(host) === undefined) speaksSince.set(host, at);
  };
  /** Until when it has heard its standbys: one whose processes stand still hears nobody. */
  const heardUntil = (host: string, at: number): number => {
    const { run } = cluster.host(host).server;
    return run?.frozen === true ? (run.hungSince ?? at) : at;
  };
  /** Since when its server has been running, whatever it is now. */
  const runsSince = (host: string, at: number): number => {
    const { server, clock } = cluster.host(host);
    return at - (clock.now() - (server.run?.startedAt ?? clock.now()));
  };
  return {
    see(truth, at) {
      if (truth.kind === "copies-placed") speaksSince.set(truth.host, undefined);
      if (truth.kind === "writable" && truth.on) {
        // The slots of a former primary are copies from its next start on.
        speaksSince.set(truth.host, undefined);
        writer = { host: truth.host };
      }
      if (truth.kind === "writable" && !truth.on && truth.host === writer?.host)
        writer = { host: truth.host, closedAt: heardUntil(truth.host, at) };
      if (truth.kind === "server-start") hear(truth.host, at);
      if (truth.kind === "slot-ahead") {
        const { host, slot, from, to } = truth;
        violate(
          "S21",
          `${host} goes on with ${slot} at ${to}, its reader has no more than ${from}`,
        );
      }
      if (truth.kind !== "promotion-begun" || writer === undefined) return;
      const { server } = cluster.host(truth.host);
      const copies = [...(server.data?.slots.values() ?? [])].filter(
        (s) => s.logical !== undefined,
      );
      // What the leader was told of them it keeps in the standby's slot, over restarts of the standby.
      const speaksFrom = speaksSince.get(truth.host) ?? runsSince(truth.host, at);
      const listensUntil = heardUntil(writer.host, at);
      const whileOpenMs = (writer.closedAt ?? listensUntil) - speaksFrom;
      // What it was told later, as a standby, counts as much: nobody has removed a row since it was closed.
      const afterwardsMs = listensUntil - Math.max(runsSince(writer.host, at), speaksFrom);
      const heardMs = Math.max(whileOpenMs, writer.closedAt === undefined ? 0 : afterwardsMs);
      if (copies.length === 0 || writer.host === truth.host || heardMs >= FEEDBACK_MS * 0.98)
        return;
      const names = copies.map(({ name }) => name).join(", ");
      violate(
        "S21",
        `${truth.host} is promoted with ${names}, of which ${writer.host} knew nothing`,
      );
    },
  };
};
