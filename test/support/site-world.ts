// Worlds of a cluster that follows another site.
import { known, unknown } from "../../src/model/known.ts";
import { lsn } from "../../src/model/lsn.ts";
import type { WalReceiver } from "../../src/model/server.ts";
import type { RemoteSite, StandbyCluster } from "../../src/model/site.ts";
import {
  asStandby,
  type Change,
  config,
  END,
  FORK,
  given,
  heldBy,
  leading,
  NOW,
  SYSTEM_ID,
  server,
  sql,
  unarmed,
  withLease,
} from "./world.ts";

export const SITE: StandbyCluster = {
  host: "far.example",
  port: 5432,
  slot: undefined,
  restoreCommand: undefined,
  applyDelay: undefined,
};

/** On the timeline that this cluster's own n1 once began: sites may have changed their parts before. */
export const REMOTE: RemoteSite = {
  systemId: SYSTEM_ID,
  timeline: 2,
  position: END,
  history: [{ timeline: 1, endLsn: FORK, reason: "" }],
  takesWrites: true,
  hasSlot: undefined,
};

const RECEIVER: WalReceiver = {
  status: "streaming",
  host: "far.example",
  port: 5432,
  slot: "",
  flushedLsn: END,
  timeline: 2,
};

export const following = (change: Partial<StandbyCluster> = {}): Change =>
  config({ standbyCluster: { ...SITE, ...change } });

export const remoteSays =
  (change: Partial<RemoteSite> = {}): Change =>
  (w) => {
    const site = { ...REMOTE, ...change };
    return { ...w, remote: { seen: known(site, NOW), last: { site, at: NOW } } };
  };

export const remoteSilent: Change = (w) => ({
  ...w,
  remote: { seen: unknown("no route to host", NOW), last: undefined },
});

/** Nothing is received, from wherever it was asked for. */
export const notStreaming: Change = sql({ walReceiver: undefined });

/** n1 leads a standby cluster and receives from the other site. */
export const leadingSite = (...changes: readonly Change[]) =>
  given(
    leading(),
    following(),
    heldBy("n1", 300),
    withLease(300),
    unarmed,
    asStandby,
    server({ standbySignal: true }),
    sql({ upstream: "far.example:5432", walReceiver: RECEIVER, replayedLsn: lsn(END) }),
    remoteSays(),
    ...changes,
  );
