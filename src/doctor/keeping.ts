// How are backups kept, as the node's file says and as its vault worker has seen?
import type { KeepingFacts, Surroundings } from "../model/doctor/facts.ts";
import type { AgentSettings, NodeSettings } from "../model/settings.ts";

/** Undefined where no backups are configured. */
export function keepingFacts(
  settings: AgentSettings | NodeSettings,
  { held = [] }: Surroundings,
): KeepingFacts | undefined {
  const backup = "backup" in settings ? settings.backup : undefined;
  if (backup === undefined) return undefined;
  return {
    withoutRetention: backup.repositories
      .filter(({ retention }) => retention?.base === undefined)
      .map(({ name }) => name),
    isScheduled: backup.schedules?.jobs["base"] !== undefined,
    held,
  };
}
