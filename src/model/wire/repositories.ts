// How are repositories shown? The answers of the tasks repo-list, repo-probe and backup-evidence.
import type { RepositoryEvidence } from "../copy-evidence.ts";

export interface Holding {
  readonly what: "base" | "wal" | "logical" | "proofs" | "other";
  /** Backups, files of the archive, or objects. */
  readonly count: number;
  readonly sizeBytes: number;
  /** Wall-clock milliseconds of the store. */
  readonly newestMs: number;
}

interface About {
  readonly name: string;
  readonly kind: "directory" | "s3";
  readonly place: string;
  readonly storage: string;
  readonly offSite: boolean;
}

export interface RepositoryReport extends About {
  readonly state: "ours" | "unclaimed" | "foreign" | "unknown";
  readonly why?: string;
  readonly holdings: readonly Holding[];
}

export interface ProbedRepository extends About {
  readonly createOnly: boolean;
  readonly checksums: boolean;
  readonly problems: readonly string[];
}

/** What a node found in every repository of its file, and where its own data lie beside them. */
export interface EvidenceReport {
  readonly items: readonly RepositoryEvidence[];
  readonly dataVolume?: string;
  readonly dataMedium?: string;
}
