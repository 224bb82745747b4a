// Does the server keep its promises, and for how long will it?
import { printSpan } from "../amounts.ts";
import { blockingText } from "../maintenance/blocking.ts";
import { type Check, when } from "./check.ts";
import type { DatabaseFacts, DatabaseInside, PostgresFacts } from "./facts.ts";

const MILLION = 1_000_000;
/** The server refuses new transactions at 2.1 billion; autovacuum should have frozen at 200 million. */
const AGE_HIGH = 500 * MILLION;
const AGE_CRITICAL = 1_500 * MILLION;
const OLD_PREPARED_SECONDS = 600;

/** A check of a server that answers. */
export const onServer =
  (judge: (server: PostgresFacts) => readonly string[]): Check["found"] =>
  ({ postgres }) =>
    postgres?.kind === "seen" ? judge(postgres.facts) : [];

/** A check of the inside of each database; its name stands before what was found. */
export const inDatabases = (judge: (inside: DatabaseInside) => readonly string[]): Check["found"] =>
  onServer(({ databases }) =>
    databases.flatMap(({ name, inside }) =>
      inside === undefined ? [] : judge(inside).map((found) => `${name}: ${found}`),
    ),
  );

const isOff =
  (name: string): Check["found"] =>
  ({ postgres }) =>
    postgres?.kind === "seen" ? when(postgres.facts.settings[name] === "off", `${name} = off`) : [];

const ageOf = ({ frozenAge, multixactAge }: DatabaseFacts): number =>
  Math.max(frozenAge, multixactAge);

const printAge = (database: DatabaseFacts): string =>
  `${database.name}: ${Math.round(ageOf(database) / MILLION)} million transactions`;

export const POSTGRES_CHECKS: readonly Check[] = [
  {
    id: "postgres_unread",
    group: "postgres",
    severity: "warning",
    wanted: "the server answers the doctor",
    why: "what nobody saw is not known to be healthy",
    fix: "see understudy status; the doctor logs in as postgresql.authentication.superuser",
    found: ({ postgres, ground }) =>
      postgres?.kind === "unseen" && ground?.isRunning === true ? [postgres.why] : [],
  },
  {
    id: "postgres_fsync",
    group: "postgres",
    severity: "critical",
    wanted: "fsync = on",
    why: "a crash of the host destroys the data, acknowledged commits and all",
    fix: "understudy config set postgresql.parameters.fsync=on, then rebuild standbys that crashed meanwhile",
    found: isOff("fsync"),
  },
  {
    id: "postgres_full_page_writes",
    group: "postgres",
    severity: "critical",
    wanted: "full_page_writes = on",
    why: "a page that was half written when the host died cannot be repaired",
    fix: "set full_page_writes back to on",
    found: isOff("full_page_writes"),
  },
  {
    id: "postgres_checksums",
    group: "postgres",
    severity: "warning",
    wanted: "data checksums",
    why: "a disk that returns wrong bytes is not noticed, and the damage reaches backups and standbys",
    fix: "pg_checksums --enable on each stopped standby in turn, switch over, then the last one",
    found: isOff("data_checksums"),
  },
  {
    id: "postgres_rewind",
    group: "postgres",
    severity: "warning",
    wanted: "data checksums or wal_log_hints = on",
    why: "a former primary cannot be rewound: it has to be copied anew after each failover",
    fix: "set wal_log_hints = on and restart",
    found: onServer(({ settings }) =>
      when(
        settings["data_checksums"] === "off" && settings["wal_log_hints"] === "off",
        "neither data_checksums nor wal_log_hints",
      ),
    ),
  },
  {
    id: "postgres_wal_level",
    group: "postgres",
    severity: "critical",
    wanted: "a wal_level above minimal",
    why: "no standby can follow, and no backup can be replayed",
    fix: "remove wal_level = minimal and restart",
    found: onServer(({ settings }) =>
      when(settings["wal_level"] === "minimal", "wal_level = minimal"),
    ),
  },
  {
    id: "postgres_autovacuum",
    group: "postgres",
    severity: "critical",
    wanted: "autovacuum = on and track_counts = on",
    why: "tables grow without end, and in the end the server refuses every transaction",
    fix: "set both back to on",
    found: onServer(({ settings }) =>
      ["autovacuum", "track_counts"]
        .filter((name) => settings[name] === "off")
        .map((name) => `${name} = off`),
    ),
  },
  {
    id: "postgres_wraparound_close",
    group: "postgres",
    severity: "critical",
    wanted: "an age below 1500 million",
    why: "at 2100 million the server takes no transaction any more until somebody vacuums it by hand",
    fix: "VACUUM (FREEZE) the oldest tables now; end old transactions, prepared ones and slots that hold it back",
    found: onServer(({ databases }) =>
      databases.filter((d) => ageOf(d) >= AGE_CRITICAL).map(printAge),
    ),
  },
  {
    id: "postgres_wraparound_ahead",
    group: "postgres",
    severity: "warning",
    wanted: "an age below 500 million",
    why: "autovacuum should have frozen them at 200 million: something keeps it from doing so",
    fix: "look for old transactions, prepared ones and slots with an xmin; then VACUUM (FREEZE)",
    found: onServer(({ databases }) =>
      databases.filter((d) => ageOf(d) >= AGE_HIGH && ageOf(d) < AGE_CRITICAL).map(printAge),
    ),
  },
  {
    id: "postgres_collation",
    group: "postgres",
    severity: "critical",
    wanted: "the locale's version that the data was sorted by",
    why: "text is sorted in another way than the indexes were built: rows are not found, and unique is not unique",
    fix: "REINDEX what holds text, then ALTER DATABASE … REFRESH COLLATION VERSION; give all hosts the same system",
    found: onServer(({ databases }) =>
      databases.flatMap(({ name, collation, inside }) => [
        ...(collation === undefined || collation.recorded === collation.actual
          ? []
          : [`${name}: sorted by ${collation.recorded}, this host has ${collation.actual}`]),
        ...(inside?.collationsChanged ?? []).map((which) => `${name}: ${which}`),
      ]),
    ),
  },
  {
    id: "postgres_unlogged",
    group: "postgres",
    severity: "warning",
    wanted: "no unlogged tables",
    why: "they are empty after a failover or a crash",
    fix: "ALTER TABLE … SET LOGGED, or accept that they are lost",
    found: inDatabases(({ unloggedTables }) => unloggedTables),
  },
  {
    id: "postgres_prepared",
    group: "postgres",
    severity: "warning",
    wanted: "no prepared transaction older than ten minutes",
    why: "it holds its locks and keeps vacuum from cleaning, across restarts and failovers",
    fix: "ask its coordinator, then COMMIT PREPARED or ROLLBACK PREPARED",
    found: onServer(({ preparedTransactions: prepared }) =>
      prepared === undefined || prepared.seconds < OLD_PREPARED_SECONDS
        ? []
        : [`${prepared.count}, the oldest (${prepared.who}) for ${span(prepared.seconds)}`],
    ),
  },
  {
    id: "postgres_blocking",
    group: "postgres",
    severity: "warning",
    wanted: "no maintenance that keeps clients waiting",
    why: "every minute of it is a minute of the error budget",
    fix: "understudy slo watch says who waits, what ends it and the form that does not block",
    found: onServer(({ blocking }) =>
      blocking.map((one) =>
        [blockingText(one), ...(one.instead === undefined ? [] : [`instead ${one.instead}`])].join(
          "; ",
        ),
      ),
    ),
  },
  {
    id: "postgres_pending_restart",
    group: "postgres",
    severity: "notice",
    wanted: "all settings in force",
    why: "what was changed begins to work at the next restart, perhaps that of a failover",
    fix: "understudy restart --pending",
    found: onServer(({ pendingRestart }) =>
      when(pendingRestart.length > 0, `${pendingRestart.join(", ")} wait for a restart`),
    ),
  },
  {
    id: "postgres_extension_missing",
    group: "postgres",
    severity: "critical",
    wanted: "the files of every extension in use",
    why: "its functions fail as soon as this node is the primary, or at once for readers",
    fix: "install the package of the extension on this host",
    found: inDatabases(({ extensionsMissing }) => extensionsMissing),
  },
  {
    id: "postgres_invalid_index",
    group: "postgres",
    severity: "warning",
    wanted: "no invalid index",
    why: "a CREATE INDEX CONCURRENTLY failed: the index costs writes and serves nobody",
    fix: "DROP INDEX CONCURRENTLY, and create it again",
    found: inDatabases(({ invalidIndexes }) => invalidIndexes),
  },
  {
    id: "postgres_hba_errors",
    group: "postgres",
    severity: "warning",
    wanted: "a pg_hba.conf that can be read",
    why: "the server keeps the old rules, and does not start with these",
    fix: "correct postgresql.pg_hba in the configuration",
    found: onServer(({ hbaErrors }) => hbaErrors),
  },
  {
    id: "postgres_databases_left_out",
    group: "postgres",
    severity: "notice",
    wanted: "every database looked into",
    why: "checks of tables, sequences and extensions say nothing about the others",
    fix: "nothing: the first twenty by name were looked at, and time is limited",
    found: onServer(({ databases, databasesLeftOut }) => [
      ...when(databasesLeftOut > 0, `${databasesLeftOut} databases`),
      ...databases
        .filter(({ insideTrouble }) => insideTrouble !== "")
        .map(({ name, insideTrouble }) => `${name}: ${insideTrouble}`),
    ]),
  },
];

const span = (seconds: number): string => printSpan(seconds * 1000);
