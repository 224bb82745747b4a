// The WAL of a repository, as a list of it showed.
import type { StoredWal } from "../model/coverage.ts";

export interface Archive extends StoredWal {
  /** Where each file lies, by PostgreSQL's name. */
  readonly keys: ReadonlyMap<string, string>;
  readonly storedAtMs: ReadonlyMap<string, number>;
}
