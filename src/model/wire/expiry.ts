// What does a worker tell of an expiry, for people and programs?
import type { JudgedBackup } from "../expiry.ts";

export interface Removed {
  readonly files: number;
  readonly bytes: number;
}

export interface RepositoryExpiry {
  readonly repository: string;
  /** `refused`: nothing goes, and `why` says the reason. `failed`: it ended on the way; the next run goes on. */
  readonly state: "planned" | "done" | "refused" | "failed";
  readonly why?: string;
  readonly backups: readonly JudgedBackup[];
  readonly wal: Removed & { readonly because: string };
  /** Pieces of segments that lie there whole by now. */
  readonly tails: Removed;
  /** Of everything that goes, or has gone. */
  readonly bytes: number;
}
