// What must a database have so that a pooler may ask it for the passwords of its clients?

/** The query for `router.pgbouncer.auth.query`. */
export const PASSWORD_QUERY = "SELECT usename, passwd FROM understudy.password_of($1)";

/**
 * A role that may do one thing: ask for one verifier. The function runs with its owner's rights, so it takes names from
 * nowhere but pg_catalog; a password that has expired is none (PgBouncer before 1.24.1 does not look at that itself).
 * Superusers are left out: nobody needs them through a pooler.
 */
export const passwordFunctionSql = (
  user: string,
): string => `-- Run this as a superuser, on the primary, in every database that a pooler leads to.
-- Its password, for auth.file of the router: ALTER ROLE ${quoted(user)} PASSWORD '...';
DO $$ BEGIN
  IF to_regrole(${literal(quoted(user))}) IS NULL THEN CREATE ROLE ${quoted(user)} LOGIN; END IF;
END $$;
CREATE SCHEMA IF NOT EXISTS understudy;
CREATE OR REPLACE FUNCTION understudy.password_of(name text, OUT usename name, OUT passwd text)
  RETURNS SETOF record LANGUAGE sql STABLE SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  AS $$
    SELECT rolname, rolpassword FROM pg_catalog.pg_authid
     WHERE rolname = name AND rolcanlogin AND NOT rolsuper AND NOT rolreplication
       AND (rolvaliduntil IS NULL OR rolvaliduntil > now())
  $$;
REVOKE ALL ON FUNCTION understudy.password_of(text) FROM PUBLIC;
GRANT USAGE ON SCHEMA understudy TO ${quoted(user)};
GRANT EXECUTE ON FUNCTION understudy.password_of(text) TO ${quoted(user)};
-- In the router's file: auth: {type: scram-sha-256, file: ..., query_user: ${user},
--   query: "${PASSWORD_QUERY}"}`;

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
