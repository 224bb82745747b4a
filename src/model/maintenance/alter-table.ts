// Which parts of an ALTER TABLE keep a table locked while they read or write all of it?
import { ALL, brief, free, heaviest, type Judgement } from "./judgement.ts";
import { type Token, Words } from "./tokens.ts";

type Part = Omit<Judgement, "relation">;

/** Of several actions the heaviest one. The words stand behind the table's name. */
export function judgeActions(actions: readonly (readonly Token[])[]): Part {
  return heaviest(actions.map((tokens) => judgeAction(new Words(tokens)))) ?? unknown();
}

function judgeAction(words: Words): Part {
  if (words.take("add")) return judgeAdd(words);
  if (words.take("alter")) return judgeAlterColumn(words);
  if (words.take("validate", "constraint")) return { ...free("VALIDATE CONSTRAINT"), work: "scan" };
  if (words.take("attach", "partition")) return ATTACH;
  if (words.take("detach", "partition")) return judgeDetach(words);
  if (words.take("set")) return judgeSet(words);
  return brief("ALTER TABLE");
}

const unknown = (): Part => ({ what: "ALTER TABLE", weight: "unknown", holds: "" });

const ATTACH: Part = {
  what: "ATTACH PARTITION",
  weight: "blocks",
  holds: "keeps reads and writes of the new partition waiting while it is read",
  work: "scan",
  doubt: "a constraint on the partition that says the same spares the reading",
  instead:
    "ALTER TABLE partition ADD CHECK (its bounds) NOT VALID, VALIDATE CONSTRAINT, then ATTACH PARTITION",
};

function judgeDetach(words: Words): Part {
  if (words.has("concurrently") || words.has("finalize"))
    return free("DETACH PARTITION CONCURRENTLY");
  return { ...brief("DETACH PARTITION"), instead: "DETACH PARTITION … CONCURRENTLY" };
}

const REWRITING_SETS = [["tablespace"], ["logged"], ["unlogged"], ["access", "method"]] as const;

function judgeSet(words: Words): Part {
  const found = REWRITING_SETS.find((name) => words.take(...name));
  if (found === undefined) return brief("ALTER TABLE SET");
  return {
    what: `SET ${found.join(" ").toUpperCase()}`,
    weight: "blocks",
    holds: `${ALL} while it is written anew`,
    work: "rewrite",
    instead: "a new table that is filled by a trigger and in batches, then swapped; or pg_repack",
  };
}

function judgeAdd(words: Words): Part {
  const isNamed = words.take("constraint") && words.name() !== undefined;
  if (words.take("foreign", "key"))
    return constraint(words, "FOREIGN KEY", "keeps writes to both tables waiting");
  if (words.take("check")) return constraint(words, "CHECK", ALL);
  if (words.take("not", "null")) return constraint(words, "NOT NULL", ALL);
  if (words.take("primary", "key") || words.take("unique")) return judgeUnique(words);
  if (words.take("exclude"))
    return {
      what: "ADD EXCLUDE",
      weight: "blocks",
      holds: `${ALL} while it builds an index`,
      work: "index",
    };
  if (isNamed) return { ...unknown(), what: "ADD CONSTRAINT" };
  return judgeAddColumn(words);
}

function constraint(words: Words, kind: string, holds: string): Part {
  if (words.has("not", "valid")) return brief(`ADD ${kind} NOT VALID`);
  return {
    what: `ADD ${kind}`,
    weight: "blocks",
    holds: `${holds} while every row is checked`,
    work: "scan",
    instead: `ADD … ${kind} … NOT VALID, then VALIDATE CONSTRAINT, which keeps nobody waiting`,
  };
}

function judgeUnique(words: Words): Part {
  if (words.take("using", "index")) return brief("ADD CONSTRAINT USING INDEX");
  return {
    what: "ADD PRIMARY KEY or UNIQUE",
    weight: "blocks",
    holds: `${ALL} while it builds an index`,
    work: "index",
    instead: "CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT … USING INDEX",
  };
}

const SERIALS = ["serial", "bigserial", "smallserial", "serial4", "serial8", "serial2"];
/** Functions that everybody uses as a default and that answer once for the whole statement. */
const STABLE = new Set([
  "now",
  "transaction_timestamp",
  "statement_timestamp",
  "current_timestamp",
  "current_date",
  "current_time",
  "localtime",
  "localtimestamp",
  "current_user",
  "session_user",
]);

function judgeAddColumn(words: Words): Part {
  words.take("column");
  words.take("if", "not", "exists");
  words.name();
  const isSerial = SERIALS.some((type) => words.has(type));
  if (isSerial || words.has("stored") || words.has("as", "identity")) return rewritingColumn;
  if (words.has("unique") || words.has("primary", "key"))
    return {
      ...judgeUnique(words),
      what: "ADD COLUMN with a key",
      instead: "ADD COLUMN alone, CREATE UNIQUE INDEX CONCURRENTLY, then ADD … USING INDEX",
    };
  const isChecked = words.has("check") || (words.has("references") && words.has("default"));
  if (isChecked)
    return {
      ...constraint(words, "COLUMN with a constraint", ALL),
      instead: "ADD COLUMN alone, then ADD CONSTRAINT … NOT VALID, then VALIDATE CONSTRAINT",
    };
  if (!words.has("default")) return brief("ADD COLUMN");
  const called = calledIn(words).filter((name) => !STABLE.has(name));
  if (called.length === 0) return brief("ADD COLUMN with a default");
  return {
    ...rewritingColumn,
    doubt: `if ${called.join(" and ")} answers the same for every row (not volatile), nothing is written anew`,
  };
}

const rewritingColumn: Part = {
  what: "ADD COLUMN with a value for each row",
  weight: "blocks",
  holds: `${ALL} while it is written anew`,
  work: "rewrite",
  instead:
    "ADD COLUMN without it, then ALTER COLUMN … SET DEFAULT, then fill the old rows in batches",
};

const NO_FUNCTIONS = new Set(["check", "collate", "references", "in"]);

/** Names with a parenthesis behind them, after the word `default`. */
function calledIn(words: Words): readonly string[] {
  const tokens = words.parts().flat();
  const from = tokens.findIndex(({ text }) => text === "default");
  return tokens
    .slice(from + 1)
    .filter((token, n, rest) => token.kind === "word" && rest[n + 1]?.text === "(")
    .map(({ text }) => text)
    .filter((name) => !NO_FUNCTIONS.has(name));
}

function judgeAlterColumn(words: Words): Part {
  if (words.take("constraint")) return brief("ALTER CONSTRAINT");
  words.take("column");
  words.name();
  if (words.take("type") || words.take("set", "data", "type"))
    return {
      what: "ALTER COLUMN TYPE",
      weight: "blocks",
      holds: `${ALL} while it and its indexes are written anew`,
      work: "rewrite",
      doubt:
        "a longer varchar, varchar to text, and other types with the same bytes write nothing anew",
      instead: "a new column that a trigger fills, old rows in batches, then swap the names",
    };
  if (words.take("set", "not", "null"))
    return {
      what: "SET NOT NULL",
      weight: "blocks",
      holds: `${ALL} while every row is checked`,
      work: "scan",
      doubt: "a valid CHECK (column IS NOT NULL) spares the reading",
      instead: "ADD CHECK (column IS NOT NULL) NOT VALID, VALIDATE CONSTRAINT, then SET NOT NULL",
    };
  if (words.take("add", "generated")) return brief("ADD GENERATED");
  if (words.take("set", "expression")) return { ...rewritingColumn, what: "SET EXPRESSION" };
  return brief("ALTER COLUMN");
}
