// What does the user want to have a say in: may this server be promoted, and what comes before it stops?
import { AppError } from "../../model/error.ts";
import type { Ms } from "../../model/time.ts";
import { type Hook, runHook } from "../system/hook.ts";
import type { Place } from "./place.ts";
import { lastWords } from "./programs.ts";

/** Nobody can write while it runs. */
const PRE_PROMOTE_LIMIT_MS: Ms = 30_000;
const BEFORE_STOP_LIMIT_MS: Ms = 10_000;

/** Throws HOOK_REFUSED unless postgresql.pre_promote ends with 0 in time; without one there is nothing to ask. */
export async function askBeforePromote(place: Place, signal: AbortSignal): Promise<void> {
  const command = place.settings.postgres.prePromote;
  if (command === undefined) return;
  const hook = hookOf(place, { name: "pre_promote", command, timeoutMs: PRE_PROMOTE_LIMIT_MS });
  const refused = (why: string, cause?: unknown): AppError =>
    new AppError("HOOK_REFUSED", "promoting", `pre_promote ${why}`, cause);
  const { code, stderr } = await runHook({ ...hook, signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw refused(error instanceof Error ? error.message : String(error), error);
  });
  if (code !== 0) throw refused(`ended with status ${code ?? "?"}: ${lastWords(stderr)}`);
}

/** Runs postgresql.before_stop within half of what the stop may take: it has no say in whether there is one. */
export async function tellBeforeStop(place: Place, stopMs: Ms): Promise<void> {
  const command = place.settings.postgres.beforeStop;
  if (command === undefined) return;
  const timeoutMs = Math.min(BEFORE_STOP_LIMIT_MS, stopMs / 2);
  try {
    const hook = hookOf(place, { name: "before_stop", command, timeoutMs });
    const { code, stderr } = await runHook(hook);
    if (code !== 0) place.log.warn("before_stop failed", { code, output: lastWords(stderr) });
  } catch (error) {
    place.log.warn("before_stop could not be run to its end", { error });
  }
}

type Asked = Pick<Hook, "name" | "command" | "timeoutMs">;

function hookOf({ settings, user }: Place, asked: Asked): Hook {
  const { socketDir, port, dataDir } = settings.postgres;
  const environment = {
    UNDERSTUDY_SCOPE: settings.scope,
    UNDERSTUDY_NAME: settings.name,
    PGDATA: dataDir,
    PGHOST: socketDir,
    PGPORT: String(port),
  };
  return { ...asked, args: [settings.scope], user, environment, cwd: "/" };
}
