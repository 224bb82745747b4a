// Does a statement keep clients waiting? Told from its words alone: what they cannot tell is said to be unknown.
import { judgeActions } from "./alter-table.ts";
import { ALL, brief, free, type Judgement, type Relation, WRITES } from "./judgement.ts";
import { statementsIn, type Token, Words } from "./tokens.ts";

/** Nobody writes longer ones by hand; what is longer is not read. */
export const LONGEST_SQL = 100_000;

/** One judgement for each statement, in their order. */
export const judgeSql = (sql: string): readonly Judgement[] =>
  statementsIn(sql.slice(0, LONGEST_SQL)).map(judgeStatement);

function judgeStatement(tokens: readonly Token[]): Judgement {
  const words = new Words(tokens);
  for (const [command, judge] of COMMANDS)
    if (words.take(...command.split(" "))) return judge(words);
  return unknown(
    tokens[0]?.kind === "word" ? tokens[0].text.toUpperCase() : "this",
    "what it runs is not seen from its words",
  );
}

const unknown = (what: string, doubt: string): Judgement => ({
  what,
  weight: "unknown",
  holds: "cannot be judged",
  doubt,
});

const on = (kind: Relation["kind"], name: readonly string[] | undefined) =>
  name === undefined ? {} : { relation: { kind, name } };

const COMMANDS: readonly (readonly [string, (words: Words) => Judgement])[] = [
  ["vacuum", vacuum],
  ["cluster", cluster],
  ["repack", repack],
  ["create unique index", createIndex],
  ["create index", createIndex],
  ["reindex", reindex],
  ["drop index", dropIndex],
  ["alter table", alterTable],
  ["refresh materialized view", refresh],
  ["truncate", truncate],
  ["drop table", (words) => ({ ...brief("DROP TABLE"), ...named(words) })],
  ["lock", lock],
  ["analyze", () => free("ANALYZE")],
  ["comment", () => free("COMMENT")],
  ["create table", createTable],
  ["create statistics", () => free("CREATE STATISTICS")],
  ["select", rows("SELECT")],
  ["insert", rows("INSERT")],
  ["copy", rows("COPY")],
  ["update", rows("UPDATE")],
  ["delete", rows("DELETE")],
  ["set", () => free("SET")],
  ["show", () => free("SHOW")],
  ["begin", () => free("BEGIN")],
  ["commit", () => free("COMMIT")],
];

/** Options in parentheses; `(full false)` is none. */
function optionsIn(words: Words): ReadonlySet<string> {
  const given = words.list().map((tokens) => tokens.map(({ text }) => text.toLowerCase()));
  const isOn = ([, value]: readonly string[]): boolean =>
    value === undefined || !["false", "off", "0"].includes(value.replaceAll("'", ""));
  return new Set(given.filter(isOn).map(([name = ""]) => name));
}

function named(words: Words): { readonly relation?: Relation } {
  words.take("table");
  words.take("if", "exists");
  words.take("only");
  return on("table", words.name());
}

function vacuum(words: Words): Judgement {
  const options = optionsIn(words);
  const isFull = options.has("full") || words.take("full");
  while (["freeze", "verbose", "analyze"].some((word) => words.take(word)));
  if (!isFull) return { ...free("VACUUM"), ...named(words) };
  return rewriting("VACUUM FULL", words, "VACUUM, or pg_repack where the space must come back");
}

function cluster(words: Words): Judgement {
  optionsIn(words);
  words.take("verbose");
  return rewriting("CLUSTER", words, "pg_repack --order-by");
}

function repack(words: Words): Judgement {
  if (optionsIn(words).has("concurrently"))
    return { ...free("REPACK CONCURRENTLY"), ...named(words) };
  return rewriting("REPACK", words, "REPACK (CONCURRENTLY)");
}

const rewriting = (what: string, words: Words, instead: string): Judgement => ({
  what,
  weight: "blocks",
  holds: `${ALL} while it is written anew`,
  work: "rewrite",
  instead,
  ...named(words),
});

function createIndex(words: Words): Judgement {
  const isConcurrent = words.take("concurrently");
  words.take("if", "not", "exists");
  if (!words.take("on")) {
    words.name();
    words.take("on");
  }
  const relation = named(words);
  if (isConcurrent)
    return {
      ...free("CREATE INDEX CONCURRENTLY"),
      doubt: "if it fails, an index that is not valid stays and must be dropped",
      ...relation,
    };
  return {
    what: "CREATE INDEX",
    weight: "blocks",
    holds: `${WRITES}, while it builds`,
    work: "index",
    instead: "CREATE INDEX CONCURRENTLY (of a partitioned table: on each partition, then attach)",
    ...relation,
  };
}

function reindex(words: Words): Judgement {
  const isOption = optionsIn(words).has("concurrently");
  const kind = ["index", "table", "schema", "database", "system"].find((one) => words.take(one));
  const isConcurrent = words.take("concurrently") || isOption;
  const name = words.name();
  const relation = kind === "index" || kind === "table" ? on(kind, name) : {};
  if (isConcurrent) return { ...free("REINDEX CONCURRENTLY"), ...relation };
  return {
    what: "REINDEX",
    weight: "blocks",
    holds: "keeps writes to the table waiting, and reads that would use the index",
    work: "index",
    instead: kind === "system" ? "nothing: take a maintenance window" : "REINDEX … CONCURRENTLY",
    ...relation,
  };
}

/** A new table is nobody's yet, but others that it belongs or points to are locked with it. */
function createTable(words: Words): Judgement {
  if (words.has("partition", "of"))
    return {
      ...brief("CREATE TABLE PARTITION OF"),
      instead: "CREATE TABLE … (LIKE parent), then ATTACH PARTITION, which locks the parent less",
    };
  if (words.has("references"))
    return { ...brief("CREATE TABLE with a foreign key"), holds: `${WRITES}, for a moment` };
  return free("CREATE TABLE");
}

function dropIndex(words: Words): Judgement {
  if (words.take("concurrently")) return free("DROP INDEX CONCURRENTLY");
  return { ...brief("DROP INDEX"), instead: "DROP INDEX CONCURRENTLY" };
}

function alterTable(words: Words): Judgement {
  if (words.take("all", "in", "tablespace"))
    return rewriting("ALTER TABLE ALL SET TABLESPACE", new Words([]), "one table at a time");
  const { relation } = named(words);
  words.sign("*");
  const part = judgeActions(words.parts());
  return relation === undefined ? part : { ...part, relation };
}

function refresh(words: Words): Judgement {
  const isConcurrent = words.take("concurrently");
  const relation = on("view", words.name());
  if (isConcurrent) return { ...free("REFRESH MATERIALIZED VIEW CONCURRENTLY"), ...relation };
  return {
    what: "REFRESH MATERIALIZED VIEW",
    weight: "blocks",
    holds: "keeps reads of the view waiting while it is filled",
    work: "rewrite",
    instead: "REFRESH MATERIALIZED VIEW CONCURRENTLY, with a unique index on the view",
    ...relation,
  };
}

function truncate(words: Words): Judgement {
  return { ...brief("TRUNCATE"), ...named(words) };
}

function lock(words: Words): Judgement {
  const doubt = "it holds until its transaction ends, and how long that takes is not seen here";
  return { ...unknown("LOCK", doubt), ...named(words) };
}

const ROW_LOCKS = [["update"], ["no", "key", "update"], ["share"], ["key", "share"]] as const;

/** They lock rows at most; a function in them may do anything. */
function rows(what: string) {
  return (words: Words): Judgement => {
    const changes = ["UPDATE", "DELETE"].includes(what);
    const locks = changes || ROW_LOCKS.some((kind) => words.has("for", ...kind));
    return {
      ...free(what),
      ...(locks ? { holds: "keeps nobody waiting, save who wants to change the same rows" } : {}),
      ...(what === "SELECT" ? { doubt: "a function that it calls may do anything" } : {}),
    };
  };
}
