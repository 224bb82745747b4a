// Which maintenance keeps clients of this server waiting? Looked for when somebody asks, one look at a time: whoever asks
// meanwhile gets the same answer.
import { runningMaintenance } from "../adapters/postgres/maintenance.ts";
import { type Blocking, blockingIn } from "../model/maintenance/blocking.ts";
import type { PostgresSettings } from "../model/settings.ts";
import type { Ms } from "../model/time.ts";

/** Whoever asks shows a screen and does not wait longer. */
const LIMIT_MS: Ms = 1_000;

/** The look throws PG_SQL_…. */
export function createBlocking(settings: PostgresSettings): () => Promise<readonly Blocking[]> {
  let looking: Promise<readonly Blocking[]> | undefined;
  return () => {
    looking ??= runningMaintenance(settings, LIMIT_MS)
      .then(blockingIn)
      .finally(() => {
        looking = undefined;
      });
    return looking;
  };
}
