// Worlds with synchronous replication: what the store and the server say about it.
import { printSyncNames, type SyncNames } from "../../src/model/sync.ts";
import { type Change, cluster, given, server, sql } from "./world.ts";

/** What the store says about who may be elected. */
export const electedBy = (leader: string, standbys: readonly string[] = [], quorum = 0): Change =>
  cluster(() => ({ sync: { value: { leader, standbys, quorum }, modRevision: 402 } }));

/** Names that are written and that the server's session shows. */
export const waitingFor =
  (syncNames: SyncNames): Change =>
  (w) =>
    given(w, server({ syncNames }), sql({ syncNames: printSyncNames(syncNames) ?? "" }));
