// A base backup of real servers: taken from a standby, verified, damaged, restored, and read.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateIdentity, identityToRecipient } from "age-encryption";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readCatalogue } from "../../src/backup/catalogue.ts";
import { openShelf } from "../../src/backup/open-shelf.ts";
import type { BackupProgress } from "../../src/backup/progress.ts";
import { work } from "../../src/backup/work.ts";
import type { ListedBackup, RestoreWish } from "../../src/model/backup-words.ts";
import type { BackupSettings } from "../../src/model/repository.ts";
import { USUAL_DRILL } from "../../src/model/settings-drill.ts";
import { PostgresStage, type TestNode, until } from "../support/postgres-stage.ts";
import { askRestored } from "../support/restored.ts";

const ROWS = "SELECT md5(string_agg(t::text, ',' ORDER BY n)) FROM public.t AS t";

let stage: PostgresStage;
let a: TestNode;
let b: TestNode;
let directory: string;
let backup: BackupSettings;
let first: ListedBackup;

beforeAll(async () => {
  stage = await PostgresStage.open();
  [a, b] = [await stage.node("a"), await stage.node("b")];
  await a.bootstrap();
  await b.cloneFrom(a);
  directory = join(stage.root, "repo");
  mkdirSync(directory);
  const identity = await generateIdentity();
  const identityFile = join(stage.root, "identity");
  writeFileSync(identityFile, `# made by a test\n${identity}\n`);
  writeFileSync(join(stage.root, "stranger"), `${await generateIdentity()}\n`);
  const place = { kind: "directory", directory } as const;
  backup = {
    repositories: [{ name: "near", place, storage: "directory", offSite: false, required: true }],
    compression: "zstd",
    recipients: [await identityToRecipient(identity)],
    identityFile,
    walBudgetBytes: 0,
    drill: USUAL_DRILL,
  };
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

const settingsOf = (node: TestNode) => ({ ...node.settings, backup });

const context = (node: TestNode, told: BackupProgress[] = [], signal?: AbortSignal) => ({
  settings: settingsOf(node),
  cluster: {},
  onProgress: (progress: BackupProgress) => void told.push(progress),
  signal: signal ?? new AbortController().signal,
});

async function take(node: TestNode, told: BackupProgress[] = []): Promise<ListedBackup> {
  const answer = await work({ do: "take", label: "by a test" }, context(node, told));
  if (answer.did !== "take") throw new Error(answer.did);
  return answer.backup;
}

async function verdict(id: string) {
  const answer = await work({ do: "verify", id }, context(a));
  return answer.did === "verify" ? answer.verification : undefined;
}

const wishFor = (name: string, more: Partial<RestoreWish> = {}): RestoreWish => ({
  targetDir: join(stage.root, name),
  to: { kind: "latest" },
  tablespaces: {},
  action: "promote",
  isPreview: false,
  ...more,
});

const restore = (name: string, more: Partial<RestoreWish> = {}) =>
  work({ do: "restore", ...wishFor(name, more) }, context(a));

/** Where the objects of a backup lie. */
const folderOf = (id: string) => join(directory, "stage", systemId(), "base", id);
const systemId = () => readdirSync(join(directory, "stage"))[0] ?? "";

test("a backup is taken from a standby, with progress, and what was taken is what the server sent", async () => {
  await a.query("CREATE TABLE public.t AS SELECT n, md5(n::text) FROM generate_series(1, 50000) n");
  await until("the standby has the rows", () => b.hasCaughtUp(a));
  const told: BackupProgress[] = [];
  first = await take(b, told);
  expect(first).toMatchObject({ takenOn: "b", takenFrom: "standby", packing: "zstd, encrypted" });
  expect(told.map(({ phase }) => phase)).toContain("copying");
  expect(readdirSync(folderOf(first.id)).toSorted()).toEqual([
    "backup.json",
    "backup_manifest.zst.age",
    "base.tar.zst.age",
    "begun.json",
  ]);
  const listed = await work({ do: "list" }, context(a));
  expect(listed).toMatchObject({ list: { items: [{ id: first.id }], unfinished: [] } });
  expect(await verdict(first.id)).toMatchObject({ outcome: "passed", depth: "content" });
});

test("a restored directory has the rows, and nothing of its original's life", async () => {
  const preview = await restore("preview", { isPreview: true });
  expect(preview).toMatchObject({ preview: { backup: { id: first.id } } });
  expect(existsSync(join(stage.root, "preview"))).toBe(false);
  await restore("restored");
  const restored = join(stage.root, "restored");
  expect(existsSync(join(restored, "standby.signal"))).toBe(false);
  const [rows] = Object.values((await a.query(ROWS))[0] ?? {});
  const asked = ["SHOW archive_mode", "SHOW primary_conninfo", "SHOW synchronous_standby_names"];
  const { answers } = await askRestored(restored, a, [ROWS, ...asked]);
  expect(answers).toEqual([rows, "off", "", ""]);
});

test("without the key nothing is read, with a wrong one nothing is written", async () => {
  const identityFile = join(stage.root, "stranger");
  await expect(restore("wrong-key", { identityFile })).rejects.toThrow("none of the private keys");
  expect(existsSync(join(stage.root, "wrong-key"))).toBe(false);
});

test("what is somebody's is left alone", async () => {
  mkdirSync(join(stage.root, "taken"));
  writeFileSync(join(stage.root, "taken/precious"), "mine");
  await expect(restore("taken")).rejects.toThrow("is not empty");
  expect(readdirSync(join(stage.root, "taken"))).toEqual(["precious"]);
  await expect(restore("unknown", { id: "20200101T000000Z-00000000" })).rejects.toThrow(
    "there is no such backup",
  );
});

test("a clone verifies nothing of its original's, since it would write there", async () => {
  const proofs = () => readdirSync(join(directory, "stage", systemId(), "proofs"));
  const before = proofs();
  const identity = join(directory, "stage", systemId(), "repository.json");
  const theirs = JSON.parse(readFileSync(identity, "utf8")) as object;
  writeFileSync(identity, JSON.stringify({ ...theirs, storeId: "of the original" }));
  const cluster = { storeId: "of a clone" };
  const verifying = work({ do: "verify", id: first.id }, { ...context(a), cluster });
  await expect(verifying).rejects.toMatchObject({ code: "REPO_FOREIGN" });
  expect(proofs()).toEqual(before);
  writeFileSync(identity, JSON.stringify(theirs));
});

test("a run that is ended counts for nothing", async () => {
  const stop = new AbortController();
  const taking = work(
    { do: "take", label: "ended", maxRateKb: 1024 },
    {
      ...context(b, [], stop.signal),
      onProgress: ({ doneBytes }) => {
        if (doneBytes > 0) stop.abort(new Error("ended by a test"));
      },
    },
  );
  await expect(taking).rejects.toThrow("ended by a test");
  const { signal } = context(a);
  const shelf = await openShelf({ settings: settingsOf(a), cluster: {}, repo: undefined, signal });
  const { backups, unfinished } = await readCatalogue(shelf.repo, signal);
  expect(backups.map(({ record }) => record.id)).toEqual([first.id]);
  expect(unfinished).toHaveLength(1);
});
