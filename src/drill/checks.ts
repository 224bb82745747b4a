// What is asked of a copy that has come up? Each question ends in passed, failed, or not checked with the reason.
import { findProgram, lastWords } from "../adapters/postgres/programs.ts";
import { withSession } from "../adapters/postgres/session.ts";
import { run } from "../adapters/system/spawn.ts";
import type { DrillCheck, LastCommit } from "../model/drill.ts";
import { asAppError } from "../model/error.ts";
import type { NodeSettings } from "../model/settings.ts";
import type { DrillQuery } from "../model/settings-drill.ts";
import { printRfc3339 } from "../model/wire/rfc3339.ts";
import { isCommitted } from "./canary.ts";
import type { CopyServer } from "./copy-server.ts";

export interface Checking {
  readonly server: CopyServer;
  readonly dataDir: string;
  readonly settings: NodeSettings;
  readonly signal: AbortSignal;
}

const ASK_LIMIT_MS = 10_000;
/** A question of the user's may take as long as a report does. */
const QUERY_LIMIT_MS = 600_000;
const SHOWN_ANSWER = 200;

export async function checkCanary(
  { server }: Checking,
  commit: LastCommit | undefined,
): Promise<DrillCheck> {
  const name = "last transaction";
  if (commit === undefined) {
    const why = "the WAL before the target holds none";
    return { name, outcome: "not checked", why };
  }
  const which = `${commit.xid} of ${printRfc3339(commit.atMs)}`;
  const isThere = await withSession(server.target, ASK_LIMIT_MS, (session) =>
    isCommitted(session, commit),
  );
  if (isThere === undefined)
    return { name, outcome: "not checked", why: `the copy no longer knows of ${which}` };
  return isThere
    ? { name, outcome: "passed", why: `${which} is committed in the copy` }
    : { name, outcome: "failed", why: `${which} is not committed in the copy` };
}

/** One question of the user's. It may read and nothing else. */
export async function checkQuery(
  { server, dataDir, settings, signal }: Checking,
  { name: called, database, sql, expect }: DrillQuery,
): Promise<DrillCheck> {
  const name = `query ${called}`;
  const program = await programFor("psql", { dataDir, settings });
  if (program === undefined) return { name, outcome: "not checked", why: "psql is not installed" };
  const { code, stdout, stderr } = await run({
    program,
    args: [
      ...server.connection,
      `--dbname=${database}`,
      "--no-password",
      "--no-psqlrc",
      "--tuples-only",
      "--no-align",
      "--set=ON_ERROR_STOP=1",
      `--command=${sql}`,
    ],
    environment: {
      PGOPTIONS: `-c default_transaction_read_only=on -c statement_timeout=${QUERY_LIMIT_MS}`,
    },
    timeoutMs: QUERY_LIMIT_MS + ASK_LIMIT_MS,
    signal,
  });
  if (code !== 0) return { name, outcome: "failed", why: lastWords(stderr, 2) };
  const answer = stdout.replace(/\n$/, "");
  const said = answer.slice(0, SHOWN_ANSWER);
  return answer === expect
    ? { name, outcome: "passed", why: `answered ${said}` }
    : { name, outcome: "failed", why: `answered ${said}, expected ${expect}` };
}

/** Reads every table and every B-tree of every database that takes connections. */
export async function checkStructure(
  { server, dataDir, settings, signal }: Checking,
  isWanted: boolean,
): Promise<DrillCheck> {
  const name = "pg_amcheck";
  const not = (why: string): DrillCheck => ({ name, outcome: "not checked", why });
  if (!isWanted) return not("backup.drill.amcheck is off");
  const program = await programFor("pg_amcheck", { dataDir, settings });
  if (program === undefined)
    return not("pg_amcheck is not installed: it comes with PostgreSQL 14 and newer");
  const sql = "SELECT FROM pg_available_extensions WHERE name = 'amcheck'";
  const found = await withSession(server.target, ASK_LIMIT_MS, (session) =>
    session.query(sql, [], ASK_LIMIT_MS),
  );
  if (found.length === 0) return not("the extension amcheck is not installed on this member");
  const { code, stdout, stderr } = await run({
    program,
    args: [...server.connection, "--no-password", "--all", "--install-missing"],
    timeoutMs: undefined,
    signal,
  });
  if (code === 0) return { name, outcome: "passed", why: "every table and every B-tree was read" };
  return { name, outcome: "failed", why: lastWords(`${stdout}\n${stderr}`, 3) };
}

/** Every page of the copy, which must have been stopped. */
export async function checkChecksums(
  { dataDir, settings, signal }: Omit<Checking, "server">,
  areOn: boolean,
): Promise<DrillCheck> {
  const name = "data checksums";
  const not = (why: string): DrillCheck => ({ name, outcome: "not checked", why });
  if (!areOn) return not("they are off in this cluster");
  const program = await programFor("pg_checksums", { dataDir, settings });
  if (program === undefined) return not("pg_checksums is not installed");
  const { code, stdout, stderr } = await run({
    program,
    args: ["--check", `--pgdata=${dataDir}`],
    timeoutMs: undefined,
    signal,
  });
  if (code === 0) return { name, outcome: "passed", why: "those of every page fit" };
  return { name, outcome: "failed", why: lastWords(`${stdout}\n${stderr}`, 3) };
}

/** A program that is not there makes a check impossible, and fails nothing. */
const programFor = (
  name: string,
  place: { readonly dataDir: string; readonly settings: NodeSettings },
): Promise<string | undefined> =>
  findProgram(place, name).catch((error: unknown) => {
    const failure = asAppError(error, "PG_NO_TOOL", `looking for ${name}`);
    if (failure.code !== "PG_NO_TOOL") throw failure;
    return undefined;
  });
