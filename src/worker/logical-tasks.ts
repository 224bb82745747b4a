// Which logical backups are there, and how does one become a database again?
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { withSession } from "../adapters/postgres/session.ts";
import { unpack } from "../adapters/repo/packing.ts";
import { textOf } from "../backup/bytes.ts";
import { inUse } from "../backup/in-use.ts";
import { backupOf, identitiesOf } from "../backup/named.ts";
import { isBackupId } from "../model/backup-record.ts";
import { AppError } from "../model/error.ts";
import { type LogicalRecord, parseLogical } from "../model/logical-backup.ts";
import { expiredKey, logicalKey, unpacked } from "../model/repo-keys.ts";
import type { Repo } from "../ports/repo.ts";
import { type Command, feed } from "./program-stream.ts";
import { openRepositories } from "./repositories.ts";
import { inScratch } from "./scratch.ts";
import { connectionTo, localServer, postgresProgram } from "./server.ts";
import type { Task, TaskContext } from "./task.ts";

const SQL_LIMIT_MS = 60_000;

/** Every logical backup of every repository, the newest first; what cannot be read says why. */
export const listLogical: Task = async (context, input) => {
  const { opened } = await openRepositories(context, input["repository"]);
  const items: unknown[] = [];
  for (const { repo } of opened) {
    const objects = await repo.list("logical/", context.signal);
    const keys = new Set(objects.map(({ key }) => key));
    for (const key of keys) {
      if (!key.endsWith("/backup.json")) continue;
      // Its removal was begun: it is none any more.
      if (keys.has(expiredKey("logical", key.split("/")[1] ?? ""))) continue;
      const record = await readRecord(repo, key, context.signal);
      items.push({
        repository: repo.name,
        ...(record ?? { id: key.split("/")[1], damaged: true }),
      });
    }
  }
  return { items: items.toReversed() };
};

/** Makes the database `to`, which must not exist, and fills it: the whole dump or an error. */
export const restoreLogical: Task = async (context, input) => {
  const { id, to, identityFile } = input;
  if (!isBackupId(id)) throw refused(`"${String(id)}" is not the id of a logical backup`);
  if (typeof to !== "string" || to === "") throw refused("name the database to be made");
  const repo = await holderOf(context, { id, repository: input["repository"] });
  const record = await readRecord(repo, logicalKey(id, "backup.json"), context.signal);
  if (record === undefined) throw refused(`the record of ${id} is damaged`);
  if (record.database === undefined) throw refused(`${id} holds globals alone: feed them to psql`);
  const named = typeof identityFile === "string" ? identityFile : undefined;
  const identities = await identitiesOf(backupOf(context.settings), named);
  const use = { repo, kind: "logical", id, what: "restoring" } as const;
  await inUse(use, context.signal, async () => {
    await makeDatabase(context, to);
    context.progress({ step: `restoring ${record.database} as ${to}` });
    await fill({ context, repo, record, identities }, to);
  });
  return { id, database: to, repository: repo.name };
};

/** The first repository that has it, of those that were named. Only a repository's own word says that it is not there. */
async function holderOf(
  context: TaskContext,
  { id, repository }: { readonly id: string; readonly repository: unknown },
): Promise<Repo> {
  const { opened } = await openRepositories(context, repository);
  for (const { repo } of opened)
    if ((await repo.head(logicalKey(id, "backup.json"), context.signal)) !== undefined) return repo;
  throw refused(`no repository holds ${id}: see understudy backup logical list`);
}

async function readRecord(
  repo: Repo,
  key: string,
  signal: AbortSignal,
): Promise<LogicalRecord | undefined> {
  return parseLogical(await textOf(await repo.get(key, signal)));
}

async function makeDatabase({ settings }: TaskContext, name: string): Promise<void> {
  await withSession(localServer(settings), SQL_LIMIT_MS, async (session) => {
    const sql = "select 1 from pg_database where datname = $1";
    const there = await session.query(sql, [name], SQL_LIMIT_MS);
    if (there.length > 0) throw refused(`there is a database ${name}: name a new one`);
    const quoted = pg.escapeIdentifier(name);
    await session.query(`create database ${quoted} template template0`, [], SQL_LIMIT_MS);
  });
}

interface Filling {
  readonly context: TaskContext;
  readonly repo: Repo;
  readonly record: LogicalRecord;
  readonly identities: readonly string[];
}

async function fill({ context, repo, record, identities }: Filling, to: string): Promise<void> {
  const { settings, signal } = context;
  const dump = record.objects.find(({ what }) => what === "database");
  if (dump === undefined) throw refused(`${record.id} holds no database`);
  const object = await repo.get(logicalKey(record.id, dump.file), signal);
  const how = { packing: unpacked(dump.file).packing, identities };
  const plain = counted(context, unpack(object, how, signal));
  const { args, environment } = connectionTo(settings, to);
  const pgRestore = await postgresProgram(settings, "pg_restore");
  const whole = ["--exit-on-error", "--single-transaction"];
  switch (record.format) {
    case "custom":
      await feed({ program: pgRestore, args: [...args, ...whole], environment }, plain, signal);
      return;
    case "plain": {
      const program = await postgresProgram(settings, "psql");
      const strict = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "--single-transaction"];
      await feed({ program, args: [...args, ...strict], environment }, plain, signal);
      return;
    }
    case "directory":
      await inScratch(async (folder) => {
        const target = join(folder, "dump");
        await mkdir(target);
        await feed(
          { program: "tar", args: ["-C", target, "-xf", "-"], environment: {} },
          plain,
          signal,
        );
        const more = ["--exit-on-error", `--jobs=${record.jobs}`, target];
        const command: Command = { program: pgRestore, args: [...args, ...more], environment };
        await feed(command, nothing(), signal);
      });
      return;
    default:
      record.format satisfies never;
  }
}

async function* counted(
  { progress }: TaskContext,
  content: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  let doneBytes = 0;
  for await (const bytes of content) {
    doneBytes += bytes.length;
    progress({ step: "restoring", doneBytes });
    yield bytes;
  }
}

async function* nothing(): AsyncIterable<Uint8Array> {
  yield Buffer.alloc(0);
}

const refused = (why: string): AppError => new AppError("NOT_POSSIBLE", "logical backups", why);
