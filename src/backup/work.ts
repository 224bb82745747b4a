// One request of the agent or of the command line, carried out.
import type { BackupRecord } from "../model/backup-record.ts";
import type { WorkAnswer, WorkRequest } from "../model/backup-words.ts";
import { printLsn } from "../model/lsn.ts";
import { begunDir } from "../model/worker.ts";
import { findBackup, readCatalogue } from "./catalogue.ts";
import { listedOf, listedVerification, listOf } from "./listed.ts";
import { openShelf } from "./open-shelf.ts";
import { restoreTo } from "./restore-wish.ts";
import type { Shelf } from "./shelf.ts";
import { takeBackup } from "./take.ts";
import { verifyBackup } from "./verify.ts";
import { verifyWal } from "./verify-wal.ts";
import type { WorkContext } from "./work-context.ts";

export async function work(request: WorkRequest, context: WorkContext): Promise<WorkAnswer> {
  const { signal } = context;
  const more = request.do === "restore" ? request : {};
  const shelf = await openShelf({ ...context, ...more, repo: request.repo });
  const { name } = shelf.repo;
  switch (request.do) {
    case "list":
      return { did: "list", list: listOf(await readCatalogue(shelf.repo, signal), name) };
    case "take":
      return { did: "take", backup: listedOf(await take(shelf, request, context), name) };
    case "verify": {
      const { record } = await findBackup(shelf.repo, request.id, signal);
      const verdict = await verifyBackup({ shelf, record, ...context });
      const verified = {
        did: "verify",
        id: record.id,
        verification: listedVerification(verdict),
      } as const;
      if (request.wal !== true) return verified;
      const wal = await verifyWal({ shelf, record, ...context });
      return { ...verified, wal: { ...wal, endLsn: printLsn(wal.endLsn) } };
    }
    case "restore":
      return { did: "restore", preview: await restoreTo(shelf, request, context) };
    default:
      return request satisfies never;
  }
}

async function take(
  shelf: Shelf,
  request: Extract<WorkRequest, { do: "take" }>,
  { settings, onProgress, signal }: WorkContext,
): Promise<BackupRecord> {
  const { postgres, scope, name } = settings;
  const { connectAddress, replication, database } = postgres;
  const target = {
    ...connectAddress,
    user: replication.username,
    password: replication.password?.reveal(),
    database,
  };
  return takeBackup({
    shelf,
    source: { target, label: request.label, maxRateKb: request.maxRateKb },
    scope,
    takenOn: name,
    begunDir: begunDir(postgres.stateDir),
    onProgress,
    signal,
  });
}
