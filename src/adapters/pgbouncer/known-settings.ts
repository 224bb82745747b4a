// Which settings does which PgBouncer know? An unknown one keeps it from starting, so only known ones are written.
import { didYouMean } from "../../model/nearest.ts";
import type { PgbouncerVersion } from "./program.ts";

/** Known to the oldest version that we run (1.18), and every later one. */
const SINCE_THE_OLDEST = [
  "application_name_add_host",
  "auth_hba_file",
  "autodb_idle_timeout",
  "client_idle_timeout",
  "client_login_timeout",
  "client_tls_ca_file",
  "client_tls_cert_file",
  "client_tls_ciphers",
  "client_tls_dheparams",
  "client_tls_ecdhcurve",
  "client_tls_key_file",
  "client_tls_protocols",
  "client_tls_sslmode",
  "default_pool_size",
  "disable_pqexec",
  "dns_max_ttl",
  "dns_nxdomain_ttl",
  "dns_zone_check_period",
  "idle_transaction_timeout",
  "ignore_startup_parameters",
  "job_name",
  "listen_backlog",
  "log_connections",
  "log_disconnections",
  "log_pooler_errors",
  "log_stats",
  "max_client_conn",
  "max_db_connections",
  "max_packet_size",
  "max_user_connections",
  "min_pool_size",
  "pkt_buf",
  "pool_mode",
  "query_timeout",
  "query_wait_timeout",
  "reserve_pool_size",
  "reserve_pool_timeout",
  "resolv_conf",
  "sbuf_loopcnt",
  "server_check_delay",
  "server_check_query",
  "server_connect_timeout",
  "server_fast_close",
  "server_idle_timeout",
  "server_lifetime",
  "server_login_retry",
  "server_reset_query",
  "server_reset_query_always",
  "server_round_robin",
  "server_tls_ca_file",
  "server_tls_cert_file",
  "server_tls_ciphers",
  "server_tls_key_file",
  "server_tls_protocols",
  "server_tls_sslmode",
  "stats_period",
  "stats_users",
  "suspend_timeout",
  "syslog",
  "syslog_facility",
  "syslog_ident",
  "tcp_defer_accept",
  "tcp_keepalive",
  "tcp_keepcnt",
  "tcp_keepidle",
  "tcp_keepintvl",
  "tcp_socket_buffer",
  "tcp_user_timeout",
  "unix_socket_group",
  "verbose",
] as const;

/** What later versions added, by the minor number of 1.x. */
const ADDED: Readonly<Record<string, number>> = {
  auth_dbname: 19,
  cancel_wait_timeout: 19,
  track_extra_parameters: 20,
  max_prepared_statements: 21,
  auth_ident_file: 23,
  server_tls13_ciphers: 24,
  client_tls13_ciphers: 24,
  max_db_client_connections: 24,
  max_user_client_connections: 24,
  auth_ldap_options: 25,
  transaction_timeout: 25,
};

/** What Understudy sets itself: who would set it otherwise would take the pooler out of its hands. */
const OURS = [
  "admin_users",
  "auth_file",
  "auth_query",
  "auth_type",
  "auth_user",
  "conffile",
  "listen_addr",
  "listen_port",
  "logfile",
  "peer_id",
  "pidfile",
  "service_name",
  "so_reuseport",
  "unix_socket_dir",
  "unix_socket_mode",
  "user",
] as const;

/** Does this version know the setting? */
export const isKnown = (name: string, version: PgbouncerVersion): boolean =>
  SINCE_THE_OLDEST.some((one) => one === name) || (ADDED[name] ?? Infinity) <= version.minor;

/** Why this option cannot be passed on, in words; undefined when it can. */
export function objectionTo(
  name: string,
  value: string,
  version: PgbouncerVersion,
): string | undefined {
  if (OURS.some((one) => one === name)) return `${name} is set by Understudy itself`;
  if (/[\r\n]/.test(value)) return `${name} has a line break in its value`;
  if (isKnown(name, version)) return undefined;
  const since = ADDED[name];
  if (since !== undefined) return `${name} needs PgBouncer 1.${since}, this is ${version.text}`;
  const names = [...SINCE_THE_OLDEST, ...Object.keys(ADDED)];
  return `PgBouncer ${version.text} does not know ${name}${didYouMean(name, names)}`;
}
