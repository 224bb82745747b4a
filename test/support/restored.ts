// A server on a restored directory, apart from every cluster: started, asked, stopped.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Session } from "../../src/adapters/postgres/session.ts";
import { freePort } from "./free-port.ts";
import { asServer, type TestNode, until } from "./postgres-stage.ts";

const LIMIT_MS = 30_000;

/** What the recovered server answers to each statement, and what it logged meanwhile. */
export async function askRestored(
  directory: string,
  { settings }: TestNode,
  statements: readonly string[],
): Promise<{ readonly answers: readonly unknown[]; readonly log: string }> {
  const port = await freePort();
  const logFile = join(directory, "restored.log");
  const options = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''`;
  asServer("pg_ctl", "-D", directory, "-w", "-l", logFile, "-o", options, "start");
  try {
    const { superuser, database } = settings.postgres;
    const password = superuser.password?.reveal();
    const target = { host: "127.0.0.1", port, user: superuser.username, password, database };
    using session = await Session.open(target, LIMIT_MS);
    const ask = async (sql: string) =>
      Object.values((await session.query(sql, [], LIMIT_MS))[0] ?? {})[0];
    await until(
      "it has recovered",
      async () => (await ask("SELECT pg_is_in_recovery()")) === false,
    );
    const answers: unknown[] = [];
    for (const statement of statements) answers.push(await ask(statement));
    return { answers, log: readFileSync(logFile, "utf8") };
  } finally {
    asServer("pg_ctl", "-D", directory, "-w", "-m", "fast", "stop");
  }
}
