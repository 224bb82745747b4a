// What do the applications do to the server, and what does a pooler break for them?
import { printSpan } from "../amounts.ts";
import { modeWarnings } from "../pool-traces.ts";
import type { Check } from "./check.ts";
import { when } from "./check.ts";
import { inDatabases, onServer } from "./checks-postgres.ts";
import type { PoolTracesFrom, Waiting } from "./facts.ts";

const IDLE_SECONDS = 300;
const LONG_SECONDS = 3_600;
const NEARLY_FULL = 0.85;
/** The first PgBouncer that carries named prepared statements from one connection to the next. */
const PREPARED_FROM = [1, 21] as const;

const waiting = (found: Waiting | undefined, from: number): readonly string[] =>
  found === undefined || found.seconds < from
    ? []
    : [`${found.who}, for ${printSpan(found.seconds * 1000)}`];

const carriesPrepared = ({ poolerVersion }: PoolTracesFrom): boolean => {
  const [major = 0, minor = 0] = poolerVersion.split(".").map(Number);
  return major > PREPARED_FROM[0] || (major === PREPARED_FROM[0] && minor >= PREPARED_FROM[1]);
};

export const POOLER_CHECKS: readonly Check[] = [
  {
    id: "pooler_mode",
    group: "pooler",
    severity: "warning",
    wanted: "nothing that outlives a transaction, behind a pool that hands connections on",
    why: "what one client left behind meets the next one: settings, locks, tables and messages of others",
    fix: "use the form named, or session mode for this database; see docs/explanation/pool-modes.md",
    found: onServer(({ databases }) =>
      databases.flatMap(({ name, inside }) =>
        (inside?.pool ?? []).flatMap((traces) => modeWarnings(name, traces.mode, traces)),
      ),
    ),
  },
  {
    id: "pooler_prepared",
    group: "pooler",
    severity: "notice",
    wanted: "PgBouncer 1.21 or newer in transaction mode",
    why: "named prepared statements of drivers fail with “does not exist” on the next connection",
    fix: "upgrade PgBouncer, or turn prepared statements off in the driver",
    found: ({ postgres }) => {
      if (postgres?.kind !== "seen") return [];
      const pools = postgres.facts.databases.flatMap(({ inside }) => inside?.pool ?? []);
      const old = pools.filter((pool) => !carriesPrepared(pool));
      const found = old.map(
        ({ router, poolerVersion, mode }) => `${router}: ${poolerVersion} in ${mode} mode`,
      );
      return [...new Set(found)];
    },
  },
];

export const APPLICATION_CHECKS: readonly Check[] = [
  {
    id: "application_idle_in_transaction",
    group: "application",
    severity: "warning",
    wanted: "no transaction that does nothing for five minutes",
    why: "it keeps vacuum from cleaning, holds its locks, and delays a switchover",
    fix: "end it with pg_terminate_backend; set idle_in_transaction_session_timeout",
    found: onServer(({ idleInTransaction }) => waiting(idleInTransaction, IDLE_SECONDS)),
  },
  {
    id: "application_long_transaction",
    group: "application",
    severity: "notice",
    wanted: "no transaction longer than an hour",
    why: "dead rows stay everywhere for as long as it runs",
    fix: "see whether it is meant; reports belong on a standby",
    found: onServer(({ longestTransaction }) => waiting(longestTransaction, LONG_SECONDS)),
  },
  {
    id: "application_connections",
    group: "application",
    severity: "warning",
    wanted: "room below max_connections",
    why: "the next peak is refused, and after a failover all of them come back at once",
    fix: "put a pooler in front; find who opens so many",
    found: onServer(({ connections, maxConnections }) =>
      when(connections >= maxConnections * NEARLY_FULL, `${connections} of ${maxConnections}`),
    ),
  },
  {
    id: "application_no_primary_key",
    group: "application",
    severity: "notice",
    wanted: "a primary key on every table, or another identity for its rows",
    why: "logical replication, and with it an upgrade without downtime, cannot carry its updates",
    fix: "ALTER TABLE … ADD PRIMARY KEY",
    found: inDatabases(({ tablesWithoutKey }) =>
      tablesWithoutKey.length === 0 ? [] : [listed(tablesWithoutKey)],
    ),
  },
  {
    id: "application_sequence",
    group: "application",
    severity: "warning",
    wanted: "sequences and their columns below 80 %",
    why: "at its end every insert fails, and a wider column means rewriting the table",
    fix: "plan the move to bigint now",
    found: inDatabases(({ sequencesNearEnd }) => sequencesNearEnd),
  },
];

const SHOWN = 5;

function listed(names: readonly string[]): string {
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : "";
  return `${names.slice(0, SHOWN).join(", ")}${more}`;
}
