// How do callbacks run? One after another in the order of the events: none ends another, and none is waited for by the loop.
import type { NodeSettings } from "../../model/settings.ts";
import type { Ms } from "../../model/time.ts";
import type { CallbackEvent, Callbacks } from "../../ports/callbacks.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import { runHook } from "../system/hook.ts";
import type { OsUser } from "../system/os-user.ts";

/** A command that hangs is ended with all it has started, so that the next event is told at all. */
export const CALLBACK_LIMIT_MS: Ms = 60_000;
/** More events than this wait for nobody: the oldest are given up, for the newest says where things stand. */
const MOST_WAITING = 20;
const SHOWN_OUTPUT = 300;

export interface CallbackOptions {
  /** Read at every event: a reload may have changed them. */
  settings(): NodeSettings;
  readonly user: OsUser | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** How long one may take; CALLBACK_LIMIT_MS if not said. */
  readonly limitMs?: Ms;
}

interface Waiting {
  readonly event: CallbackEvent;
  readonly command: string;
}

export function createCallbacks(o: CallbackOptions): Callbacks {
  const waiting: Waiting[] = [];
  let running: Promise<void> | undefined;

  async function runAll(): Promise<void> {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await runOne(o, next);
    }
    running = undefined;
  }

  return {
    tell(event) {
      const command = o.settings().postgres.callbacks[event.action];
      if (command === undefined) return;
      if (waiting.length >= MOST_WAITING) {
        o.log.error("a callback was given up, too many are waiting", { ...waiting.shift()?.event });
      }
      waiting.push({ event, command });
      running ??= runAll();
    },
    async drain(limitMs) {
      if (running === undefined) return;
      const limit = new AbortController();
      await Promise.race([running, o.clock.sleep(limitMs, limit.signal).catch(() => undefined)]);
      limit.abort();
    },
  };
}

async function runOne(o: CallbackOptions, { event, command }: Waiting): Promise<void> {
  const { action, role } = event;
  const settings = o.settings();
  const about = { action, role };
  try {
    const { code, signal, stderr, tookMs } = await runHook({
      name: action,
      command,
      args: [action, role, settings.scope],
      timeoutMs: o.limitMs ?? CALLBACK_LIMIT_MS,
      user: o.user,
      environment: environmentOf(settings, event),
      cwd: "/",
    });
    if (code === 0) o.log.info("a callback was told", { ...about, tookMs });
    else {
      const output = stderr.trim().slice(-SHOWN_OUTPUT);
      o.log.warn("a callback failed", { ...about, code, signal, output, tookMs });
    }
  } catch (error) {
    o.log.warn("a callback could not be run to its end", { ...about, error });
  }
}

/** What the command may want to know besides its arguments, and how it reaches this server. */
function environmentOf(
  { scope, name, postgres }: NodeSettings,
  { action, role }: CallbackEvent,
): Record<string, string> {
  return {
    UNDERSTUDY_ACTION: action,
    UNDERSTUDY_ROLE: role,
    UNDERSTUDY_SCOPE: scope,
    UNDERSTUDY_NAME: name,
    PGDATA: postgres.dataDir,
    PGHOST: postgres.socketDir,
    PGPORT: String(postgres.port),
  };
}
