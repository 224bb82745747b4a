// How does a worker reach the server of its node, and PostgreSQL's programs?

import { findProgram } from "../adapters/postgres/programs.ts";
import { localTarget, type SessionTarget } from "../adapters/postgres/session.ts";
import type { NodeSettings } from "../model/settings.ts";

/** The superuser's way in, over the socket. */
export const localServer = ({ postgres }: NodeSettings, database?: string): SessionTarget => ({
  ...localTarget(postgres),
  ...(database === undefined ? {} : { database }),
});

/** The same for a program: options, and the password where no process list shows it. */
export function connectionTo(settings: NodeSettings, database?: string) {
  const target = localServer(settings, database);
  return {
    args: [
      `--host=${target.host}`,
      `--port=${target.port}`,
      `--username=${target.user}`,
      "--no-password",
      ...(database === undefined ? [] : [`--dbname=${conninfoOf(database)}`]),
    ],
    environment: target.password === undefined ? {} : { PGPASSWORD: target.password },
  };
}

/** A name with an equals sign in it would be taken for a list of options. */
const conninfoOf = (database: string): string =>
  `dbname='${database.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

/** The program of the data's version. PG_NO_TOOL when it is not there. */
export const postgresProgram = (settings: NodeSettings, name: string): Promise<string> =>
  findProgram({ settings, dataDir: settings.postgres.dataDir }, name);
