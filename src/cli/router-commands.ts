// Commands around the routers: what comes from an existing PgBouncer, and what the database must have for it.
import { readFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import type { Command } from "commander";
import { stringify } from "yaml";
import { AppError } from "../model/error.ts";
import { importPgbouncer } from "../model/pgbouncer-ini.ts";
import { passwordFunctionSql } from "../model/pooler-sql.ts";
import { CliFailure, EXIT } from "./exit.ts";
import type { Shared } from "./shared.ts";
import { print, printJsonText, say } from "./terminal.ts";

/** Files that include files: as deep as PgBouncer follows them itself. */
const MOST_INCLUDES = 10;

function importFile(path: string, _: unknown, command: Command): void {
  const { json } = command.optsWithGlobals<Shared>();
  const { router, notes } = importPgbouncer(textOf(path, MOST_INCLUDES));
  if (json === true) {
    printJsonText({ apiVersion: "understudy/v1", kind: "RouterImport", router, notes });
    return;
  }
  print(stringify({ router }).trimEnd());
  for (const note of notes) say(`! ${note}`);
}

/** The file with its includes in place; their paths count from the working directory, as for PgBouncer. */
function textOf(path: string, depth: number): string {
  if (depth === 0) {
    throw new CliFailure(
      EXIT.usage,
      `${path} is not read`,
      `it lies ${MOST_INCLUDES} includes deep`,
    );
  }
  const text = read(path);
  return text.replaceAll(/^%include\s+(.+)$/gm, (_, named: string) => {
    const file = named.trim();
    return textOf(isAbsolute(file) ? file : join(process.cwd(), file), depth - 1);
  });
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new AppError("CONFIG_NOT_FOUND", `reading ${path}`, why, error);
  }
}

interface SqlFlags {
  readonly user: string;
}

export function registerRouter(program: Command): void {
  const router = program.command("router").description("what a router's file and databases need");
  router
    .command("import")
    .argument("<file>", "an existing pgbouncer.ini")
    .description("print the section of a node's file that does the same, and what it cannot do")
    .option("--json", "for programs")
    .action(importFile);
  router
    .command("auth-sql")
    .description(
      "print the SQL that lets PgBouncer ask a database for the passwords of its clients",
    )
    .option("--user <role>", "who asks (auth.query_user)", "pgbouncer")
    .action(({ user }: SqlFlags) => print(passwordFunctionSql(user)));
}
