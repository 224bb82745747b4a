// How is a logical backup taken? pg_dump as a stream into the repository, read back, and its record last.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { withSession } from "../adapters/postgres/session.ts";
import { pack, unpack } from "../adapters/repo/packing.ts";
import { tallyOf } from "../adapters/repo/tally.ts";
import { noted } from "../backup/begun-here.ts";
import { bytesOf } from "../backup/bytes.ts";
import { inUse } from "../backup/in-use.ts";
import { backupOf, identitiesOf } from "../backup/named.ts";
import { backupIdOf } from "../model/backup-record.ts";
import { AppError } from "../model/error.ts";
import {
  type DumpObject,
  type DumpProof,
  type DumpWish,
  type LogicalRecord,
  parseDumpWish,
  printLogical,
} from "../model/logical-backup.ts";
import { endingOf, logicalKey, unpacked } from "../model/repo-keys.ts";
import { begunDir } from "../model/worker.ts";
import type { Repo } from "../ports/repo.ts";
import { feed, outputOf } from "./program-stream.ts";
import { chosenRepository } from "./repositories.ts";
import { inScratch } from "./scratch.ts";
import { connectionTo, localServer, postgresProgram } from "./server.ts";
import type { Task, TaskContext } from "./task.ts";

interface Taking {
  readonly context: TaskContext;
  readonly repo: Repo;
  readonly id: string;
  readonly wish: DumpWish;
}

export const takeLogical: Task = async (context, input) => {
  const wish = parseDumpWish(input);
  const { repo, identity } = await chosenRepository(context, input["repository"]);
  const startedAtMs = Date.now();
  const id = backupIdOf(startedAtMs, randomBytes(4).toString("hex"));
  const serverVersion = await versionFor(context, wish.database);
  const use = { repo, kind: "logical", id, what: "taking" } as const;
  const dump = async (): Promise<LogicalRecord> => {
    const stored = await storeAll({ context, repo, id, wish });
    const { scope, systemId } = identity;
    const of = { scope, systemId, takenOn: context.settings.name, serverVersion, ...wish };
    const when = { startedAtMs, finishedAtMs: Date.now() };
    const made = { apiVersion: 1, kind: "logical", id, ...of, ...when, ...stored } as const;
    const text = bytesOf(printLogical(made));
    const put = await repo.put(logicalKey(id, "backup.json"), text, {}, context.signal);
    // Somebody has given it up meanwhile, and may have removed what was stored.
    if (put.kind === "exists-different")
      throw new AppError("REPO_CONFLICT", `ending ${id}`, "it took too long and was given up");
    return made;
  };
  const begun = { repo: repo.name, kind: "logical", id } as const;
  const record = await noted(begunDir(context.settings.postgres.stateDir), begun, () =>
    inUse(use, context.signal, dump),
  );
  return { repository: repo.name, ...record };
};

/** Everything that was wished for, read back. */
async function storeAll(taking: Taking): Promise<Pick<LogicalRecord, "objects" | "proof">> {
  const { context, wish } = taking;
  const objects: DumpObject[] = [];
  if (wish.globals)
    objects.push(await store(taking, "globals", "globals.sql", await globals(context)));
  if (wish.database !== undefined) objects.push(await storeDatabase(taking, wish.database));
  return { objects, proof: await prove(taking, objects) };
}

/** The database is there and lets us in, before anything is stored. */
const versionFor = ({ settings }: TaskContext, database: string | undefined): Promise<string> =>
  withSession(localServer(settings, database), SERVER_LIMIT_MS, async (session) => {
    const sql = "select current_setting('server_version') as version";
    const [row] = await session.query(sql, [], SERVER_LIMIT_MS);
    return String(row?.["version"]);
  });

const SERVER_LIMIT_MS = 10_000;

const globals = async (context: TaskContext): Promise<AsyncIterable<Uint8Array>> => {
  const program = await postgresProgram(context.settings, "pg_dumpall");
  const { args, environment } = connectionTo(context.settings);
  return outputOf({ program, args: [...args, "--globals-only"], environment }, context.signal);
};

const NAMES = {
  custom: "database.dump",
  plain: "database.sql",
  directory: "database.tar",
} as const;

async function storeDatabase(taking: Taking, database: string): Promise<DumpObject> {
  const { context, wish } = taking;
  const program = await postgresProgram(context.settings, "pg_dump");
  const { args, environment } = connectionTo(context.settings, database);
  // What we compress ourselves is not compressed twice, and a lock held by somebody else ends the dump in time.
  const common = [...args, `--format=${wish.format}`, "--lock-wait-timeout=60s"];
  const tables = wish.tables.map((table) => `--table=${table}`);
  const name = NAMES[wish.format];
  if (wish.format !== "directory") {
    const more = wish.format === "custom" ? ["--compress=0"] : [];
    const command = { program, args: [...common, ...tables, ...more], environment };
    return store(taking, "database", name, outputOf(command, context.signal));
  }
  return inScratch(async (folder) => {
    const target = join(folder, "dump");
    const more = ["--compress=0", `--jobs=${wish.jobs}`, `--file=${target}`];
    context.progress({ step: `dumping ${database} with ${wish.jobs} jobs` });
    const command = { program, args: [...common, ...tables, ...more], environment };
    for await (const _ of outputOf(command, context.signal)) continue;
    const tar = { program: "tar", args: ["-C", target, "-cf", "-", "."], environment: {} };
    return store(taking, "database", name, outputOf(tar, context.signal));
  });
}

async function store(
  { context, repo, id }: Taking,
  what: DumpObject["what"],
  name: string,
  plain: AsyncIterable<Uint8Array>,
): Promise<DumpObject> {
  const { settings, progress, signal } = context;
  const { compression, recipients } = backupOf(settings);
  const file = name + endingOf({ compression, encrypted: recipients.length > 0 });
  let doneBytes = 0;
  const counted = async function* (): AsyncIterable<Uint8Array> {
    for await (const bytes of plain) {
      doneBytes += bytes.length;
      progress({ step: `storing ${what}`, doneBytes });
      yield bytes;
    }
  };
  const packed = pack(counted(), { compression, recipients }, signal);
  const put = await repo.put(logicalKey(id, file), packed, {}, signal);
  if (put.kind === "exists-different")
    throw new AppError("REPO_CONFLICT", `storing ${file}`, `of the logical backup ${id}`);
  return { file, what, storedBytes: put.sizeBytes, sha256: put.sha256 };
}

/** Reads everything back; where it can be opened here, pg_restore lists what is in it. */
async function prove(taking: Taking, objects: readonly DumpObject[]): Promise<DumpProof> {
  const { context, repo, id, wish } = taking;
  const { settings, signal, progress } = context;
  for (const { file, sha256 } of objects) {
    progress({ step: `reading ${file} back` });
    const back = await tallyOf(await repo.get(logicalKey(id, file), signal));
    if (back.sha256 !== sha256)
      throw new AppError(
        "REPO_DAMAGED",
        `reading ${file} back`,
        "other bytes came than were stored",
      );
  }
  const backup = backupOf(settings);
  const identities = await identitiesOf(backup, undefined);
  const isReadable = backup.recipients.length === 0 || identities.length > 0;
  const dump = objects.find(({ what }) => what === "database");
  if (!isReadable || wish.format !== "custom" || dump === undefined)
    return { atMs: Date.now(), depth: "bytes", entries: undefined };
  const program = await postgresProgram(settings, "pg_restore");
  const { packing } = unpacked(dump.file);
  const object = await repo.get(logicalKey(id, dump.file), signal);
  const command = { program, args: ["--list"], environment: {} };
  const listed = await feed(command, unpack(object, { packing, identities }, signal), signal);
  const entries = listed.split("\n").filter((line) => /^\d+;/.test(line)).length;
  return { atMs: Date.now(), depth: "contents", entries };
}
