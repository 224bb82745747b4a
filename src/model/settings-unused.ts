// Which of Patroni's settings have no effect here, and why not? Whoever brings such a file shall not have to guess.

const OUR_LOG = "our log is one JSON object a line";
const CLUSTERS = "the cluster decides, write it into its configuration";
const NO_THREADS = "there are no threads to limit";
const KEPT = "data is removed only once its replacement is complete";
const SOCKET = "the agent always takes the socket, and members always take TCP";

/** Reasons by the last part of a setting's path, or by a whole path where that says more. */
const REASONS: Readonly<Record<string, string>> = {
  citus: "there is no support for Citus",
  users: "create roles in bootstrap.post_bootstrap",
  rewind: "pg_rewind gets the options that it needs",
  callbacks: "callbacks belong into each node's own file",
  create_replica_methods: "methods belong into each node's own file",
  pg_ctl_timeout: "every wait has a limit of its own",
  use_pg_rewind: CLUSTERS,
  use_slots: CLUSTERS,
  pgpass: "the passwords of members lie in state_dir",
  use_unix_socket: SOCKET,
  use_unix_socket_repl: SOCKET,
  remove_data_directory_on_rewind_failure: KEPT,
  remove_data_directory_on_diverged_timelines: KEPT,
  thread_pool_size: NO_THREADS,
  thread_stack_size: NO_THREADS,
  sslnegotiation: "TLS is asked for as every version of libpq does it",
  server_tokens: "no header names the program",
  format: "log.format knows one word, patroni: its lines and texts",
  dateformat: OUR_LOG,
  static_fields: OUR_LOG,
  traceback_level: OUR_LOG,
  deduplicate_heartbeat_logs: OUR_LOG,
  max_queue_size: "each line is written at once",
  file_num: "logrotate or its like keeps the log small",
  file_size: "logrotate or its like keeps the log small",
  loggers: "there is one level for all",
  mode: "the log file belongs to the agent's user alone",
};

/** The end of a warning's sentence. */
export function whyUnused(key: string): string {
  const reason = REASONS[key];
  return reason === undefined ? "has no effect in Understudy" : `has no effect: ${reason}`;
}
