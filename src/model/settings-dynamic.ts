// Is `bootstrap.dcs`, the first dynamic configuration, made of known names and possible values?
import type { Section } from "./settings-reader.ts";
import { parseConfig } from "./wire/config.ts";
import { isObject, type JsonObject } from "./wire/json.ts";

const KNOWN = [
  "ttl",
  "loop_wait",
  "retry_timeout",
  "maximum_lag_on_failover",
  "maximum_lag_on_syncnode",
  "max_timelines_history",
  "member_slots_ttl",
  "primary_start_timeout",
  "primary_stop_timeout",
  "primary_race_backoff",
  "synchronous_mode",
  "synchronous_mode_strict",
  "synchronous_node_count",
  "failsafe_mode",
  "isolation_timeout",
  "check_timeline",
  "failover",
  "pause",
  "slots",
  "ignore_slots",
  "standby_cluster",
] as const;
const KNOWN_IN_POSTGRESQL = [
  "use_pg_rewind",
  "use_slots",
  "parameters",
  "pg_hba",
  "pg_ident",
  "recovery_conf",
] as const;

/** Complains about what the cluster could not follow; answers the section as it is written. */
export function readDynamic(bootstrap: Section): JsonObject {
  const section = bootstrap.section("dcs");
  const postgresql = section.section("postgresql");
  section.accept(...KNOWN);
  section.accept("master_start_timeout", "master_stop_timeout"); // tidy-allow: Patroni's old names
  postgresql.accept(...KNOWN_IN_POSTGRESQL);
  postgresql.notUsed("callbacks", "create_replica_methods", "pg_ctl_timeout");
  postgresql.notUsed("remove_data_directory_on_rewind_failure");
  postgresql.notUsed("remove_data_directory_on_diverged_timelines");
  postgresql.close();
  section.close();
  const written = bootstrap.plain("dcs");
  if (!isObject(written)) return {};
  const parsed = parseConfig(written, { mode: "strict" });
  for (const { path, what, why } of parsed.kind === "refused" ? parsed.problems : []) {
    const inner = /^postgresql\.(.+)$/.exec(path)?.[1];
    const place = inner === undefined ? section : postgresql;
    place.problem(inner ?? path, `is not possible: ${what} (${why})`);
  }
  return written;
}
