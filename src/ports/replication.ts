// The port to replication as this host can measure it: nothing is decided by it, it only explains.
import type { ReplicationSample } from "../model/lag/sample.ts";
import type { Ms } from "../model/time.ts";
import type { WalLook } from "../model/wal-report.ts";

export interface ReplicationProbe {
  /** Closely: with sockets and queries, which cost more. Undefined while the server does not answer. Never throws. */
  sample(closely: boolean, timeoutMs: Ms): Promise<ReplicationSample | undefined>;
  /** Files, disk, archiver and slots. Undefined while the server does not answer. Never throws. */
  wal(timeoutMs: Ms): Promise<WalLook | undefined>;
  close(): void;
}
