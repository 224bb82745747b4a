// How shall this node drill its restores? (section `backup.drill`)
import type { Section } from "./settings-reader.ts";
import type { Ms } from "./time.ts";
import { parseDuration } from "./wire/duration.ts";

/** A question whose answer shows that the data is what it should be. */
export interface DrillQuery {
  readonly name: string;
  readonly database: string;
  readonly sql: string;
  /** What `psql -At` prints, without the last line's end. */
  readonly expect: string;
}

export interface DrillSettings {
  /** Where copies are made; undefined: below the state directory. */
  readonly directory: string | undefined;
  /** The private key that signs; undefined: one below the state directory, made at first use. */
  readonly keyFile: string | undefined;
  /** Whose signatures are believed; empty: every key that the repository keeps. */
  readonly signers: readonly string[];
  /** Every table and index is read. It takes as long as reading all data, and more. */
  readonly amcheck: boolean;
  readonly queries: readonly DrillQuery[];
  /** A last successful drill that is older is told by the doctor. */
  readonly oldAfterMs: Ms;
}

const USUAL_AGE_MS = 8 * 24 * 3_600_000;

/** What holds where the file says nothing. */
export const USUAL_DRILL: DrillSettings = {
  directory: undefined,
  keyFile: undefined,
  signers: [],
  amcheck: true,
  queries: [],
  oldAfterMs: USUAL_AGE_MS,
};

/** Below it every drill makes a directory of its own. */
export const drillRoot = (stateDir: string, drill: DrillSettings | undefined): string =>
  drill?.directory ?? `${stateDir}/server/drill`;

export function readDrill(backup: Section): DrillSettings {
  const section = backup.section("drill");
  const directory = wholePath(section, "directory");
  const settings: DrillSettings = {
    directory,
    keyFile: wholePath(section, "key_file"),
    signers: signersIn(section),
    amcheck: section.flag("amcheck") ?? USUAL_DRILL.amcheck,
    queries: queriesIn(section),
    oldAfterMs: ageIn(section),
  };
  section.close();
  return settings;
}

function wholePath(section: Section, name: string): string | undefined {
  const path = section.text(name)?.replace(/(?<=.)\/+$/, "");
  if (path !== undefined && !path.startsWith("/"))
    section.problem(name, `must be a whole path, not "${path}"`);
  return path;
}

function signersIn(section: Section): readonly string[] {
  return section.items("signers").map(({ text, offset }) => {
    if (!/^[0-9a-f]{32}$/.test(text))
      section.problemAt(offset, `"${text}" is no key's name: 32 digits, as drill show says them`);
    return text;
  });
}

function queriesIn(section: Section): readonly DrillQuery[] {
  const written = section.section("queries");
  const queries = written.names().map((name) => {
    const one = written.section(name);
    const query: DrillQuery = {
      name,
      database: one.text("database") ?? "postgres",
      sql: one.required("sql", "the question"),
      expect: one.text("expect") ?? "",
    };
    if (!one.has("expect")) one.problem("expect", "is missing: what psql -At prints");
    one.close();
    return query;
  });
  written.close();
  return queries;
}

function ageIn(section: Section): Ms {
  const text = section.text("max_age");
  const ms = text === undefined ? USUAL_AGE_MS : parseDuration(text);
  if (ms !== undefined && ms > 0) return ms;
  section.problem("max_age", `must be a time like 8d, not "${text}"`);
  return USUAL_AGE_MS;
}
