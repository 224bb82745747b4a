// Is `bootstrap.dcs`, the first dynamic configuration, made of known names and possible values?
import type { Section } from "./settings-reader.ts";

/** The smallest ttl that the fence's margin leaves room for. */
export const SMALLEST_TTL_S = 5;

/** Complains about what the cluster could not follow; answers the section as it is written. */
export function readDynamic(bootstrap: Section): Readonly<Record<string, unknown>> {
  const section = bootstrap.section("dcs");
  readTimings(section);
  for (const key of ["maximum_lag_on_failover", "max_timelines_history", "member_slots_ttl"]) {
    section.number(key, { min: 0 });
  }
  for (const key of ["primary_start_timeout", "primary_stop_timeout", "primary_race_backoff"]) {
    section.number(key, { min: 0 });
  }
  section.number("maximum_lag_on_syncnode", { min: -1 });
  section.number("synchronous_node_count", { min: 1 });
  section.choice("synchronous_mode", ["off", "on", "quorum", "true", "false"]);
  for (const key of ["check_timeline", "pause", "failsafe_mode", "synchronous_mode_strict"]) {
    section.flag(key);
  }
  section.accept("master_start_timeout", "master_stop_timeout"); // tidy-allow: Patroni's old names are still read
  section.accept("slots", "ignore_slots", "standby_cluster", "understudy");
  readPostgres(section.section("postgresql"));
  section.close();
  const written = bootstrap.plain("dcs");
  return isRecord(written) ? written : {};
}

function readTimings(section: Section): void {
  const ttl = section.number("ttl", { min: SMALLEST_TTL_S });
  const loopWait = section.number("loop_wait", { min: 1 });
  const retryTimeout = section.number("retry_timeout", { min: 1 });
  if (ttl === undefined || loopWait === undefined || retryTimeout === undefined) return;
  const needed = loopWait + 2 * retryTimeout;
  if (needed <= ttl) return;
  section.problem("ttl", `must be at least loop_wait + 2 × retry_timeout = ${needed}, not ${ttl}`);
}

/** What a server may be told by the whole cluster; the rest belongs into each node's own section. */
function readPostgres(section: Section): void {
  section.flag("use_pg_rewind");
  section.flag("use_slots");
  section.parameters("parameters");
  section.texts("pg_hba");
  section.texts("pg_ident");
  section.flag("remove_data_directory_on_rewind_failure");
  section.flag("remove_data_directory_on_diverged_timelines");
  section.notUsed("recovery_conf", "callbacks", "create_replica_methods", "pg_ctl_timeout");
  section.close();
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
