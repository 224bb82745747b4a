// Which settings should the server on this node have? The cluster's, then the node's own.
import type { DynamicConfig } from "../model/config.ts";
import { ROOM_FOR_MEMBERS } from "../model/parameter-minimums.ts";
import type { NodeSettings } from "../model/settings.ts";
import { archiveCommand, ownArchiving, vaultDir } from "../model/wal-gate.ts";
import type { ServerPlan } from "../ports/postgres.ts";

/** Members must agree on these, or a standby could not follow: the cluster's value wins over the node's own. */
const AGREED = [
  "max_connections",
  "max_locks_per_transaction",
  "max_prepared_transactions",
  "max_replication_slots",
  "max_wal_senders",
  "max_worker_processes",
  "track_commit_timestamp",
  "wal_level",
  "wal_log_hints",
] as const;

const agreed = ({ parameters }: DynamicConfig): Readonly<Record<string, string>> =>
  Object.fromEntries(
    AGREED.flatMap((name) => {
      const value = parameters[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );

const hasLogicalSlots = ({ permanentSlots }: DynamicConfig): boolean =>
  permanentSlots.some(({ logical }) => logical !== undefined);

/** Whoever leads here, the WAL comes from over there: from its archive too, and as late as is wished. */
function fromOtherSite({ standbyCluster: site }: DynamicConfig): Readonly<Record<string, string>> {
  return {
    ...(site?.restoreCommand === undefined ? {} : { restore_command: site.restoreCommand }),
    ...(site?.applyDelay === undefined ? {} : { recovery_min_apply_delay: site.applyDelay }),
  };
}

/**
 * Where WAL has to be durable outside this node: on every member, standbys too, or the one that is promoted would have
 * forgotten what its primary had not sent.
 */
function throughTheGate(
  asked: Readonly<Record<string, string>>,
  { backup, postgres }: NodeSettings,
): Readonly<Record<string, string>> {
  if (backup === undefined) return {};
  return {
    archive_mode: "always",
    archive_command: archiveCommand(vaultDir(postgres.stateDir), ownArchiving(asked)),
    // What has been written by somebody who then writes nothing more must get out too.
    archive_timeout: asked["archive_timeout"] ?? "60s",
  };
}

/**
 * Logical slots need their level of WAL on every member, and their copies on standbys need the feedback. Who has chosen
 * otherwise for the cluster is obeyed, and told what that costs when the configuration is read.
 */
export const planFor = (config: DynamicConfig, settings: NodeSettings): ServerPlan => ({
  parameters: {
    ...(hasLogicalSlots(config) ? { hot_standby_feedback: "on" } : {}),
    ...config.recoveryParameters,
    ...config.parameters,
    ...settings.postgres.parameters,
    ...fromOtherSite(config),
    ...(hasLogicalSlots(config) ? { wal_level: "logical" } : {}),
    ...agreed(config),
    ...throughTheGate({ ...config.parameters, ...settings.postgres.parameters }, settings),
  },
  pgHba: firstFilled(settings.postgres.pgHba, config.pgHba, settings.bootstrap.pgHba),
  pgIdent: firstFilled(settings.postgres.pgIdent, config.pgIdent),
  members: ROOM_FOR_MEMBERS,
});

const firstFilled = (...lists: readonly (readonly string[])[]): readonly string[] =>
  lists.find((list) => list.length > 0) ?? [];
