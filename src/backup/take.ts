// How is a base backup taken? The server's archives go through packing into the repository, and are checked on the way.
//
// `begun.json` is written first and `backup.json` last: in between the folder is an unfinished backup, which no restore
// sees and which is swept later.
import { randomBytes } from "node:crypto";
import {
  type BackupEvent,
  type BackupStart,
  type BaseBackupOptions,
  readBaseBackup,
} from "../adapters/postgres/base-backup.ts";
import {
  type BackupObject,
  type BackupRecord,
  type BackupTablespace,
  backupIdOf,
} from "../model/backup-record.ts";
import { AppError } from "../model/error.ts";
import { baseKey, endingOf } from "../model/repo-keys.ts";
import { ArchiveCheck, watched } from "./archive-check.ts";
import { noted } from "./begun-here.ts";
import { type Bytes, bytesOf, textOf } from "./bytes.ts";
import { inUse } from "./in-use.ts";
import { manifestIn } from "./manifest.ts";
import { type BackupProgress, createPulse } from "./progress.ts";
import { recordText } from "./record-text.ts";
import type { Shelf } from "./shelf.ts";
import { createSumming, type Summing } from "./summing.ts";

export interface TakeOptions {
  readonly shelf: Shelf;
  readonly source: Omit<BaseBackupOptions, "signal" | "compression" | "summedBy">;
  readonly scope: string;
  readonly takenOn: string;
  /** Where this host notes what it has begun. */
  readonly begunDir: string;
  readonly onProgress: (progress: BackupProgress) => void;
  readonly signal: AbortSignal;
}

const ATTEMPT = "taking a base backup";

/** Answers the record of a backup that is whole, durable and compared with the server's own manifest. */
export async function takeBackup(options: TakeOptions): Promise<BackupRecord> {
  const { shelf, signal } = options;
  await shelf.claim();
  const startedAtMs = Date.now();
  const id = backupIdOf(startedAtMs, randomBytes(4).toString("hex"));
  const use = { repo: shelf.repo, kind: "base", id, what: "taking" } as const;
  const begun = { repo: shelf.repo.name, kind: "base", id } as const;
  return noted(options.begunDir, begun, () =>
    inUse(use, signal, () => take(id, startedAtMs, options)),
  );
}

async function take(id: string, startedAtMs: number, options: TakeOptions): Promise<BackupRecord> {
  const { shelf, source, signal } = options;
  const begun = { format: 1, id, takenOn: options.takenOn, startedAtMs };
  await putText(
    shelf,
    baseKey(id, "begun.json"),
    `${JSON.stringify(begun, undefined, 2)}\n`,
    signal,
  );
  const { compression } = shelf.packing;
  const summing = await createSumming("CRC32C");
  const events = readBaseBackup({ ...source, compression, summedBy: summing.by, signal });
  const taking = new Taking(id, options, events, summing);
  try {
    const parts = await taking.run();
    const record: BackupRecord = {
      format: 2,
      id,
      label: source.label,
      scope: options.scope,
      takenOn: options.takenOn,
      startedAtMs,
      finishedAtMs: Date.now(),
      ...parts,
    };
    await putText(shelf, baseKey(id, "backup.json"), recordText(record), signal);
    return record;
  } finally {
    await events.return(undefined);
  }
}

type Parts = Pick<
  BackupRecord,
  | "systemId"
  | "takenFrom"
  | "versionNumber"
  | "segmentBytes"
  | "timeline"
  | "startLsn"
  | "stopLsn"
  | "dataBytes"
  | "data"
  | "tablespaces"
  | "manifest"
>;

/** One backup on its way: the server's events are read one after the other, never two at once. */
class Taking {
  readonly #id: string;
  readonly #options: TakeOptions;
  readonly #events: AsyncIterator<BackupEvent>;
  readonly #check: ArchiveCheck;
  readonly #pulse: ReturnType<typeof createPulse>;
  #next: BackupEvent | undefined;
  #storedBytes = 0;

  constructor(
    id: string,
    options: TakeOptions,
    events: AsyncIterator<BackupEvent>,
    summing: Summing,
  ) {
    this.#check = new ArchiveCheck(summing);
    this.#id = id;
    this.#options = options;
    this.#events = events;
    this.#pulse = createPulse(options.onProgress);
  }

  async run(): Promise<Parts> {
    const start = await this.#take("start");
    this.#pulse({ id: this.#id, phase: "copying", doneBytes: 0, totalBytes: start.totalBytes });
    const tablespaces: BackupTablespace[] = [];
    let data: BackupObject | undefined;
    while ((await this.#peek())?.kind === "archive") {
      const { name } = await this.#take("archive");
      const space = start.tablespaces.find(({ oid }) => `${oid}.tar` === plainName(name));
      const folder = space === undefined ? "" : `pg_tblspc/${space.oid}/`;
      const object = await this.#putArchive(plainName(name), folder, start);
      if (space === undefined) data = object;
      else tablespaces.push({ ...space, ...object });
    }
    await this.#take("manifest");
    const text = await textOf(this.#data(start));
    const end = await this.#take("end");
    if (data === undefined) throw new AppError("BACKUP_FAILED", ATTEMPT, "no data arrived");
    if (end.timeline !== start.timeline) {
      const why = `the server left timeline ${start.timeline} for ${end.timeline} meanwhile`;
      throw new AppError("BACKUP_FAILED", ATTEMPT, why);
    }
    this.#pulse({ id: this.#id, phase: "comparing", doneBytes: 0, totalBytes: start.totalBytes });
    this.#check.compare(manifestIn(text, ATTEMPT), ATTEMPT);
    return {
      systemId: start.systemId,
      takenFrom: start.isStandby ? "standby" : "primary",
      versionNumber: start.versionNumber,
      segmentBytes: start.segmentBytes,
      timeline: start.timeline,
      startLsn: start.startLsn,
      stopLsn: end.stopLsn,
      dataBytes: this.#check.dataBytes,
      data,
      tablespaces,
      manifest: await this.#put("backup_manifest", this.#options.shelf.pack(bytesOf(text))),
    };
  }

  /** The server has compressed it already: only encryption is left to do. */
  async #putArchive(name: string, folder: string, start: BackupStart): Promise<BackupObject> {
    const { shelf } = this.#options;
    const reader = this.#check.reader(folder);
    const checked = watched(this.#data(start), async (copy) => {
      await shelf.decompressInto((bytes) => reader.push(bytes), copy);
      reader.finish();
    });
    return this.#put(name, shelf.encrypt(checked));
  }

  async #put(name: string, content: Bytes): Promise<BackupObject> {
    const { shelf, signal } = this.#options;
    const file = name + endingOf(shelf.packing);
    const outcome = await shelf.repo.put(baseKey(this.#id, file), content, {}, signal);
    if (outcome.kind === "exists-different") {
      throw new AppError("REPO_CONFLICT", ATTEMPT, `${file} of ${this.#id} is there already`);
    }
    this.#storedBytes += outcome.sizeBytes;
    return { file, storedBytes: outcome.sizeBytes, sha256: outcome.sha256 };
  }

  /** The bytes up to the next archive, the manifest or the end. */
  async *#data(start: BackupStart): Bytes {
    for (;;) {
      const event = await this.#peek();
      if (event?.kind === "data") yield event.bytes;
      else if (event?.kind === "progress") this.#tell(event.doneBytes, start);
      else return;
      this.#next = undefined;
    }
  }

  #tell(doneBytes: number, { totalBytes }: BackupStart): void {
    const storedBytes = this.#storedBytes;
    this.#pulse({ id: this.#id, phase: "copying", doneBytes, totalBytes, storedBytes });
  }

  async #peek(): Promise<BackupEvent | undefined> {
    if (this.#next === undefined) {
      const { value, done } = await this.#events.next();
      this.#next = done === true ? undefined : value;
    }
    return this.#next;
  }

  async #take<K extends BackupEvent["kind"]>(kind: K): Promise<Extract<BackupEvent, { kind: K }>> {
    const event = await this.#peek();
    if (event?.kind !== kind) {
      const why = `the server sent ${event?.kind ?? "nothing"} where ${kind} was to come`;
      throw new AppError("BACKUP_FAILED", ATTEMPT, why);
    }
    this.#next = undefined;
    return event as Extract<BackupEvent, { kind: K }>;
  }
}

/** The server says `base.tar` or `16385.tar`, with an ending when it compresses. */
const plainName = (name: string): string => name.replace(/\.(?:zst|gz)$/, "");

async function putText(shelf: Shelf, key: string, text: string, signal: AbortSignal) {
  const outcome = await shelf.repo.put(key, bytesOf(text), {}, signal);
  if (outcome.kind === "exists-different") {
    throw new AppError("REPO_CONFLICT", ATTEMPT, `${key} is there already`);
  }
}
