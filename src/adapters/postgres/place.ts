// Where is this node's server, and whose is it? The facts that every file of this folder shares.
import { join } from "node:path";
import type { NodeSettings } from "../../model/settings.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Fence } from "../../ports/fence.ts";
import type { Log } from "../../ports/log.ts";
import type { RunTask } from "../../ports/worker.ts";
import type { OsUser } from "../system/os-user.ts";
import { OwnSlots } from "./own-slots.ts";

export interface Place {
  readonly settings: NodeSettings;
  readonly dataDir: string;
  /** Beside the data, ours: markers and records. */
  readonly stateDir: string;
  /** Beside the data, the server user's: pass file and server log. */
  readonly serverDir: string;
  readonly passFile: string;
  /** What opens the keys of certificates, for programs that libpq is in. */
  readonly serviceFile: string;
  readonly logFile: string;
  /** Whom programs are started as; undefined when we already are that user. */
  readonly user: OsUser | undefined;
  readonly fence: Fence;
  readonly clock: Clock;
  readonly log: Log;
  /** For what is too heavy for us; undefined where nobody needs it. */
  readonly runTask: RunTask | undefined;
  /** Postmasters that the fence has reported as ended: it tells at once, but only to those who listen. */
  readonly exits: Set<number>;
  readonly ownSlots: OwnSlots;
  /** Major versions by program file, so that each is asked once. */
  readonly majors: Map<string, number>;
}

/** Where the server's own messages are written. */
export const serverLogFile = (stateDir: string): string =>
  join(stateDir, "server", "postgresql.log");

export function placeOf(options: {
  readonly settings: NodeSettings;
  readonly user: OsUser | undefined;
  readonly fence: Fence;
  readonly clock: Clock;
  readonly log: Log;
  readonly runTask?: RunTask | undefined;
}): Place {
  const { dataDir, stateDir } = options.settings.postgres;
  const serverDir = join(stateDir, "server");
  const exits = new Set<number>();
  options.fence.onEvent((event) => {
    if (event.kind === "server-exit") exits.add(event.pid);
  });
  return {
    ...options,
    runTask: options.runTask,
    dataDir,
    stateDir,
    serverDir,
    passFile: join(serverDir, "pgpass"),
    serviceFile: join(serverDir, "pg_service.conf"),
    logFile: serverLogFile(stateDir),
    exits,
    ownSlots: new OwnSlots(stateDir),
    majors: new Map(),
  };
}
