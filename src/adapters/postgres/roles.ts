// Which roles does a new cluster need, and what else did its owner ask for?
import { join } from "node:path";
import { AppError } from "../../model/error.ts";
import type { Credentials } from "../../model/settings.ts";
import type { Ms } from "../../model/time.ts";
import { runHook } from "../system/hook.ts";
import type { Place } from "./place.ts";
import { lastWords } from "./programs.ts";
import { localTarget, quoteName, quoteText, type Session, withSession } from "./session.ts";

const STATEMENT_LIMIT_MS: Ms = 10_000;
const HOOK_LIMIT_MS: Ms = 600_000;

/** What pg_rewind reads a running source with. */
const REWIND_FUNCTIONS = [
  "pg_ls_dir(text, boolean, boolean)",
  "pg_stat_file(text, boolean)",
  "pg_read_binary_file(text)",
  "pg_read_binary_file(text, bigint, bigint, boolean)",
] as const;

/** Creates what is missing and sets the passwords; repeating it changes nothing. */
export async function createRoles(place: Place): Promise<void> {
  const { superuser, replication, rewind } = place.settings.postgres;
  await withSession(localTarget(place.settings.postgres), STATEMENT_LIMIT_MS, async (session) => {
    await ensureRole(session, superuser, "SUPERUSER");
    if (replication.username !== superuser.username) {
      await ensureRole(session, replication, "REPLICATION");
    }
    if (rewind !== undefined && rewind.username !== superuser.username) {
      await ensureRole(
        session,
        rewind,
        rewind.username === replication.username ? "REPLICATION" : "",
      );
      const role = quoteName(rewind.username);
      for (const name of REWIND_FUNCTIONS) {
        const grant = `GRANT EXECUTE ON FUNCTION pg_catalog.${name} TO ${role}`;
        await session.query(grant, [], STATEMENT_LIMIT_MS);
      }
    }
  });
}

async function ensureRole(
  session: Session,
  { username, password }: Credentials,
  attributes: string,
): Promise<void> {
  const exists = "SELECT 1 FROM pg_roles WHERE rolname = $1";
  const verb = (await session.query(exists, [username], STATEMENT_LIMIT_MS)).length > 0;
  const secret = password === undefined ? "" : `PASSWORD ${quoteText(password.reveal())}`;
  const statement = `${verb ? "ALTER" : "CREATE"} ROLE ${quoteName(username)} WITH LOGIN ${attributes} ${secret}`;
  await session.query(statement, [], STATEMENT_LIMIT_MS);
}

/** Runs bootstrap.post_bootstrap as the server's user, with a connection URL as its last argument. */
export async function runPostBootstrap(place: Place, signal: AbortSignal): Promise<void> {
  const { settings, user, passFile } = place;
  const command = settings.bootstrap.postBootstrap;
  if (command === undefined) return;
  const { superuser, socketDir, port, database } = settings.postgres;
  const part = encodeURIComponent;
  const url = `postgresql://${part(superuser.username)}@/${part(database)}?host=${part(socketDir)}&port=${port}`;
  const { code, stderr } = await runHook({
    name: "post_bootstrap",
    command,
    args: [url],
    user,
    signal,
    timeoutMs: HOOK_LIMIT_MS,
    environment: { PGPASSFILE: passFile, PGHOST: socketDir, PGPORT: String(port) },
    cwd: join(place.serverDir),
  });
  if (code === 0) return;
  const why = `exit status ${code ?? "unknown"}: ${lastWords(stderr)}`;
  throw new AppError("NOT_POSSIBLE", "running bootstrap.post_bootstrap", why);
}
