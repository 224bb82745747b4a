// Does a password in the pooler's file still open the server? After a rotation one of the two is behind.
import pg from "pg";
import type { Address } from "../../model/address.ts";
import { printAddress } from "../../model/settings-address.ts";
import type { Ms } from "../../model/time.ts";
import type { PoolerProcess } from "../../ports/pooler.ts";

const LOGIN_LIMIT_MS: Ms = 1_000;
/** More would be a burden for a server that somebody looks at every few seconds. */
const MOST_LOGINS = 5;
/** SQLSTATE invalid_password. */
const INVALID_PASSWORD = "28P01";
/** Verifiers open nothing but themselves: only a password that stands there in clear can be tried. */
const VERIFIER = /^(?:SCRAM-SHA-256\$|md5[0-9a-f]{32}$)/;
const LINE = /^"((?:[^"]|"")*)"\s+"((?:[^"]|"")*)"/;

interface Login {
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly at: Address;
}

/**
 * Tries a login for each user who has a pool that is not full, as PgBouncer would; one sentence for each whose password the
 * server refuses. Connections from before a rotation work on, so they prove nothing. `dbnames` are the servers' names.
 */
export async function refusedUsers(
  processes: readonly PoolerProcess[],
  users: string,
  dbnames: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const passwords = passwordsIn(users);
  const logins = processes.flatMap(({ pools, points, paused }) =>
    paused
      ? []
      : pools.flatMap(({ database, user, serversActive, size }): readonly Login[] => {
          const [password, at, dbname] = [passwords.get(user), points[database], dbnames[database]];
          const isTried = password !== undefined && at !== undefined && dbname !== undefined;
          if (serversActive >= size || !isTried) return [];
          return [{ user, password, database: dbname, at }];
        }),
  );
  const each = new Map(logins.map((one) => [`${one.user} ${printAddress(one.at)}`, one]));
  const tried = await Promise.all(
    [...each.values()]
      .slice(0, MOST_LOGINS)
      .map(async (one) => ((await isRefused(one)) ? one : [])),
  );
  return tried.flat().map(sentenceOf);
}

const sentenceOf = ({ user, at }: Login): string =>
  `${printAddress(at)} refuses the password of ${user} that stands in auth.file: put the database's there, it is read within seconds`;

function passwordsIn(users: string): ReadonlyMap<string, string> {
  const plain = (text: string): string => text.replaceAll('""', '"');
  return new Map(
    users.split("\n").flatMap((line) => {
      const [, user = "", password = ""] = LINE.exec(line) ?? [];
      return password === "" || VERIFIER.test(password) ? [] : [[plain(user), plain(password)]];
    }),
  );
}

/** Anything but the server's own word for a wrong password says nothing about it. */
async function isRefused({ user, password, database, at }: Login): Promise<boolean> {
  const client = new pg.Client({
    ...at,
    user,
    password,
    database,
    connectionTimeoutMillis: LOGIN_LIMIT_MS,
    application_name: "understudy",
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return false;
  } catch (error) {
    return error instanceof pg.DatabaseError && error.code === INVALID_PASSWORD;
  } finally {
    await client.end().catch(() => undefined);
  }
}
