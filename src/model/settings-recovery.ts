// Which settings of Patroni's `recovery_conf` does a standby of ours obey? They are parameters of the server by now.
import type { Section } from "./settings-reader.ts";

/** The others would end a standby's recovery, or name its upstream, which the agent does. */
export const RECOVERY_PARAMETERS: readonly string[] = [
  "restore_command",
  "archive_cleanup_command",
  "recovery_end_command",
  "recovery_min_apply_delay",
];

/** The section as parameters; what is none of them is named in a warning. */
export function readRecoveryConf(postgresql: Section): Readonly<Record<string, string>> {
  const section = postgresql.section("recovery_conf");
  const read = postgresql.parameters("recovery_conf");
  return Object.fromEntries(
    Object.entries(read).filter(([name]) => {
      const isObeyed = RECOVERY_PARAMETERS.includes(name.toLowerCase());
      if (!isObeyed) section.warn(name, "has no effect: a standby follows its primary to the end");
      return isObeyed;
    }),
  );
}
