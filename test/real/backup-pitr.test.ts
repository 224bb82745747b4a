// Back to a moment before the mistake: backup, WAL, and every kind of target on real servers.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chownSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type PackOptions, pack } from "../../src/adapters/repo/packing.ts";
import { seal } from "../../src/adapters/repo/sealing.ts";
import { findBackup } from "../../src/backup/catalogue.ts";
import { expire } from "../../src/backup/expire.ts";
import { openShelf } from "../../src/backup/open-shelf.ts";
import { work } from "../../src/backup/work.ts";
import type { RestoreWish, WishedTarget } from "../../src/model/backup-words.ts";
import { AppError } from "../../src/model/error.ts";
import { walKey } from "../../src/model/repo-keys.ts";
import type { BackupSettings } from "../../src/model/repository.ts";
import { USUAL_DRILL } from "../../src/model/settings-drill.ts";
import { printSegment, segmentNumber } from "../../src/model/wal-name.ts";
import { tailKey } from "../../src/model/wal-tail.ts";
import { bundlePrograms } from "../support/bundle.ts";
import { commandsIn } from "../support/markdown.ts";
import { PLAN, PostgresStage, type TestNode } from "../support/postgres-stage.ts";
import { askRestored } from "../support/restored.ts";

const COUNT = "SELECT count(*)::int FROM public.orders";

let stage: PostgresStage;
let a: TestNode;
let directory: string;
let backup: BackupSettings;
let beforeMistake: { readonly time: string; readonly lsn: string };

const context = () => ({
  settings: { ...a.settings, backup },
  cluster: {},
  onProgress: () => undefined,
  signal: new AbortController().signal,
});

const one = async (sql: string) => Object.values((await a.query(sql))[0] ?? {})[0];

/** What the archiver would do, once. */
async function archive(): Promise<void> {
  const { signal, settings } = context();
  const { repo } = await openShelf({ settings, cluster: {}, repo: undefined, signal });
  const current = String(await one("SELECT pg_walfile_name(pg_switch_wal())"));
  const folder = join(a.dataDir, "pg_wal");
  for (const name of readdirSync(folder)) {
    if (!/^[0-9A-F]{24}$/.test(name) || name > current) continue;
    const bytes = readFileSync(join(folder, name));
    const packed = (how: PackOptions) => pack(Readable.from([bytes]), how, signal);
    const digest = createHash("sha256").update(bytes).digest("hex");
    const key = walKey(name, { compression: "none", encrypted: false }) ?? "";
    const packing = { compression: "zstd", recipients: [] } as const;
    await seal({ repo, name: key, packed, digest, packing }, signal);
  }
}

const wishFor = (name: string, to: WishedTarget, isPreview = false): RestoreWish => ({
  targetDir: join(stage.root, name),
  to,
  tablespaces: {},
  action: "promote",
  isPreview,
});

async function restored(name: string, to: WishedTarget, statements: readonly string[] = [COUNT]) {
  await work({ do: "restore", ...wishFor(name, to) }, context());
  return askRestored(join(stage.root, name), a, statements);
}

async function refused(to: WishedTarget, words: string | RegExp): Promise<void> {
  const preview = work({ do: "restore", ...wishFor("refused", to, true) }, context());
  await expect(preview).rejects.toThrow(words);
}

beforeAll(async () => {
  stage = await PostgresStage.open();
  a = await stage.node("a");
  // Said on the command line, as an agent does: the copy has to know it from elsewhere.
  await a.bootstrap({ ...PLAN, parameters: { max_wal_senders: "18", max_connections: "120" } });
  directory = join(stage.root, "repo");
  mkdirSync(directory);
  const place = { kind: "directory", directory } as const;
  backup = {
    repositories: [{ name: "near", place, storage: "directory", offSite: false, required: true }],
    compression: "zstd",
    recipients: [],
    identityFile: undefined,
    walBudgetBytes: 0,
    drill: USUAL_DRILL,
  };
  const tablespace = join(stage.root, "fast");
  mkdirSync(tablespace);
  const { uid = 0, gid = 0 } = a.user ?? {};
  if (a.user !== undefined) chownSync(tablespace, uid, gid);
  await a.query(`CREATE TABLESPACE fast LOCATION '${tablespace}'`);
  await a.query("CREATE TABLE public.orders (n int) TABLESPACE fast");
  await a.query("INSERT INTO public.orders SELECT generate_series(1, 1000)");
  await work({ do: "take", label: "" }, context());
  const { timeline, startLsn, segmentBytes } = await theBackup();
  const started = { timeline, number: segmentNumber(startLsn, segmentBytes) };
  firstNeeded = `wal/00000001/${printSegment(started, segmentBytes)}`;
  await a.query("INSERT INTO public.orders SELECT generate_series(1001, 1500)");
  await a.query("SELECT pg_create_restore_point('before_the_mistake')");
  beforeMistake = {
    lsn: String(await one("SELECT pg_current_wal_insert_lsn()::text")),
    time: String(await one("SELECT to_char(clock_timestamp(), 'YYYY-MM-DD HH24:MI:SS.USOF')")),
  };
  await a.query("DELETE FROM public.orders");
  await a.query("INSERT INTO public.orders VALUES (1)");
  await archive();
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

test("to the moment before the mistake, with the tablespace in a place of its own", async () => {
  const { answers, log } = await restored("to-time", { kind: "time", at: beforeMistake.time });
  expect(answers).toEqual([1500]);
  expect(log).toContain("recovery stopping before commit");
  expect(readdirSync(stage.root).some((name) => name.startsWith("to-time.tablespace-"))).toBe(true);
});

test("to the name and to the backup itself", async () => {
  const named = await restored("to-name", { kind: "name", at: "before_the_mistake" });
  expect(named.answers).toEqual([1500]);
  expect((await restored("to-backup", { kind: "backup" })).answers).toEqual([1000]);
});

test("to the last record that lies in the repository, said to PostgreSQL as a position", async () => {
  const asked = [COUNT, "SELECT current_setting('recovery_target_lsn')"];
  const { answers } = await restored("to-latest", { kind: "latest" }, asked);
  expect(answers[0]).toBe(1);
  expect(answers[1]).toMatch(/^[0-9A-F]+\/[0-9A-F]+$/);
});

/** What the receiver would have sent of the segment that is written now, in two pieces. */
async function sendTail(): Promise<readonly string[]> {
  const { signal, settings } = context();
  const { repo } = await openShelf({ settings, cluster: {}, repo: undefined, signal });
  const sql =
    "SELECT file_name || ' ' || file_offset FROM pg_walfile_name_offset(pg_current_wal_flush_lsn())";
  const [segment = "", offset] = String(await one(sql)).split(" ");
  const bytes = readFileSync(join(a.dataDir, "pg_wal", segment)).subarray(0, Number(offset));
  const [half, end] = [Math.floor(bytes.length / 2), bytes.length];
  const packing = { compression: "none", encrypted: false } as const;
  const put = async (from: number, to: number): Promise<string> => {
    const key = tailKey({ segment, from, to }, packing);
    await repo.put(key, Readable.from([bytes.subarray(from, to)]), {}, signal);
    return key;
  };
  return [await put(0, half), await put(half, end)];
}

test("to the last record of a segment that is not whole yet, with and without Understudy", async () => {
  await a.query("CREATE TABLE public.late AS SELECT generate_series(1, 300) AS n");
  const keys = await sendTail();
  const late = "SELECT count(*)::int FROM public.late";
  expect((await restored("to-tail", { kind: "latest" }, [late])).answers).toEqual([300]);
  const { lines, target } = byHand("tail-by-hand");
  shell(lines.filter((line) => !line.includes("recovery_target_name")));
  expect((await askRestored(target, a, [late])).answers).toEqual([300]);
  const { signal, settings } = context();
  const { repo } = await openShelf({ settings, cluster: {}, repo: undefined, signal });
  for (const key of keys) await repo.remove(key, signal);
});

/** UNDERSTUDY_FLIPS=1000 is the long form of this. */
const FLIPS = Number(process.env["UNDERSTUDY_FLIPS"] ?? 5);

test("a changed bit in any object is found by verify, and leads to no restore of other rows", async () => {
  const cluster = join(directory, "stage", readdirSync(join(directory, "stage"))[0] ?? "");
  const [id = ""] = readdirSync(join(cluster, "base"));
  const objects = [
    ...["backup.json", "backup_manifest.zst", "base.tar.zst"].map((file) => `base/${id}/${file}`),
    ...readdirSync(join(cluster, "base", id))
      .filter((file) => /^\d+\.tar/.test(file))
      .map((file) => `base/${id}/${file}`),
    ...readdirSync(join(cluster, "wal/00000001")).map((file) => `wal/00000001/${file}`),
  ].filter((key) => isNeeded(key));
  for (let n = 0; n < FLIPS; n++) {
    const key = objects[n % objects.length] ?? "";
    const path = join(cluster, key);
    const whole = readFileSync(path);
    const bit = Math.floor(diceFor(n) * whole.length * 8);
    const changed = Buffer.from(whole);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    writeFileSync(path, changed);
    const seen = `bit ${bit} of ${key}`;
    expect(await foundBy(id), seen).toBe(true);
    const name = `flipped-${n}`;
    const rows = await restored(name, { kind: "latest" }).then(
      ({ answers }) => answers,
      () => "refused",
    );
    // What an object tells of itself in front may be wrong while its content is whole.
    const isHarmless = key.startsWith("wal/") && bit >> 3 < 90;
    expect(isHarmless ? ["refused", [1]] : ["refused"], seen).toContainEqual(rows);
    writeFileSync(path, whole);
    for (const left of readdirSync(stage.root).filter((entry) => entry.startsWith(name)))
      rmSync(join(stage.root, left), { recursive: true });
  }
  expect(await foundBy(id)).toBe(false);
});

/** Recovery needs no WAL from before the backup. */
const isNeeded = (key: string): boolean => !key.startsWith("wal/") || key >= firstNeeded;
let firstNeeded = "";

async function theBackup() {
  const { settings, signal } = context();
  const { repo } = await openShelf({ settings, cluster: {}, repo: undefined, signal });
  return (await findBackup(repo, undefined, signal)).record;
}

/** The same in every run: a fraction of the object. */
const diceFor = (n: number): number => (Math.imul(n + 1, 2_654_435_761) >>> 0) / 2 ** 32;

async function foundBy(id: string): Promise<boolean> {
  try {
    const answer = await work({ do: "verify", id, wal: true }, context());
    if (answer.did !== "verify") throw new Error(answer.did);
    return answer.verification.outcome === "failed" || (answer.wal?.damaged.length ?? 0) > 0;
  } catch (error) {
    if (error instanceof AppError && error.code === "REPO_DAMAGED") return true;
    throw error;
  }
}

/** The commands of a page, with the places of this test for those of the example. */
function commandsOf(page: string, places: Readonly<Record<string, string>>): readonly string[] {
  const text = readFileSync(new URL(`../../docs/howto/${page}.md`, import.meta.url), "utf8");
  return commandsIn(text).map((line) =>
    Object.entries(places).reduce((now, [from, to]) => now.replaceAll(from, to), line),
  );
}

const PROGRAMS = "/usr/lib/postgresql/15/bin";

function shell(
  lines: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): string {
  const PATH = `${PROGRAMS}:${process.env["PATH"] ?? ""}`;
  const script = lines.join("\n");
  const stdio = ["ignore", "pipe", "pipe"] as const;
  const env = { PATH, NO_COLOR: "1", ...environment };
  return execFileSync("bash", ["-ec", script], {
    encoding: "utf8",
    cwd: "/",
    env,
    stdio: [...stdio],
  });
}

test("the page about a mistake does what it says", async () => {
  const bin = join(stage.root, "bin");
  await bundlePrograms(bin, { cli: "src/cli/main.ts", worker: "src/worker/main.ts" });
  const file = join(stage.root, "understudy.yml");
  writeFileSync(file, nodeFile());
  const target = join(stage.root, "by-page");
  const lines = commandsOf("restore-before-the-mistake", {
    "/var/lib/postgresql/before": target,
    "2026-11-27 04:50:00+00": beforeMistake.time,
    understudy: `${process.execPath} ${join(bin, "cli.mjs")} -c ${file}`,
  });
  const restores = lines.filter((line) => line.includes("restore "));
  expect(restores).toHaveLength(2);
  shell(restores);
  const { answers } = await askRestored(target, a, [COUNT]);
  expect(answers).toEqual([1500]);
});

const nodeFile = (): string =>
  [
    "scope: stage",
    "name: a",
    "etcd3: { hosts: 127.0.0.1:1 }",
    "restapi: { listen: 127.0.0.1:1, connect_address: 127.0.0.1:1 }",
    "postgresql:",
    "  listen: 127.0.0.1:1",
    "  connect_address: 127.0.0.1:1",
    `  data_dir: ${a.dataDir}`,
    "backup:",
    `  repositories: { near: { directory: ${directory} } }`,
    "",
  ].join("\n");

/** The commands of the page, up to the start of the server. */
function byHand(name: string): { readonly lines: readonly string[]; readonly target: string } {
  const cluster = join(directory, "stage", readdirSync(join(directory, "stage"))[0] ?? "");
  const target = join(stage.root, name);
  const lines = commandsOf("restore-without-understudy", {
    "/mnt/backups/shop/7712710031016192950": cluster,
    "20261127T045404Z-063dd4a5": readdirSync(join(cluster, "base"))[0] ?? "",
    "/var/lib/postgresql/restored": target,
  });
  const before = lines.filter((line) => !line.startsWith("pg_ctl"));
  const owner = a.user === undefined ? [] : [`chown -R postgres: ${target} ${target}.*`];
  return { lines: [...before, ...owner, `chmod -R a+rX ${directory}`], target };
}

test("the page without Understudy does what it says", async () => {
  const { lines, target } = byHand("by-hand");
  shell(lines);
  const { answers, log } = await askRestored(target, a, [COUNT]);
  expect(answers).toEqual([1500]);
  expect(log).toContain("before_the_mistake");
});

test("a target outside of what can be restored is refused before anything is written", async () => {
  await refused({ kind: "lsn", at: "F/0" }, "lies behind the end");
  await refused({ kind: "time", at: "2020-01-01 00:00:00Z" }, "lies before the end of");
  await refused({ kind: "time", at: "2099-01-01 00:00:00Z" }, "lies behind the end");
  await refused({ kind: "time", at: "yesterday" }, "is no moment");
  await refused({ kind: "lsn", at: "17" }, "is no position");
  expect(readdirSync(stage.root).filter((name) => name.startsWith("refused"))).toEqual([]);
});

test("what is left after an expiry leads on to the last row, and to nothing before it", async () => {
  const settings = { settings: a.settings, cluster: {}, repo: undefined };
  const { repo, signers, ownSigner } = await openShelf({ ...settings, ...context() });
  const [systemId = ""] = readdirSync(join(directory, "stage"));
  const storeId = undefined;
  const { scope, namespace } = a.settings;
  const identity = { format: 1, scope, namespace, systemId, storeId } as const;
  const { signal } = context();
  const walBefore = await repo.list("wal/", signal);
  const [first = ""] = readdirSync(join(directory, "stage", systemId, "base"));
  await a.query("INSERT INTO public.orders SELECT generate_series(2, 700)");
  await work({ do: "take", label: "the newer one" }, context());
  await work({ do: "verify" }, context());
  await a.query("INSERT INTO public.orders SELECT generate_series(701, 800)");
  await archive();
  const retention = { base: { count: 1, spanMs: undefined }, logical: undefined };
  const more = { retention, isPreview: false, agreed: undefined, onStep: () => undefined };
  const told = await expire({ repo, signers, ownSigner, identity, signal, ...more });
  expect(told).toMatchObject({ state: "done" });
  const gone = told.backups.flatMap(({ id, fate }) => (fate === "goes" ? [id] : []));
  expect(gone).toEqual([first]);
  const walAfter = new Set((await repo.list("wal/", signal)).map(({ key }) => key));
  expect(walBefore.filter(({ key }) => walAfter.has(key)).length).toBeLessThan(walBefore.length);
  expect((await restored("after-expiry", { kind: "latest" })).answers).toEqual([800]);
  expect((await restored("the-newer-one", { kind: "backup" })).answers).toEqual([700]);
  await refused({ kind: "lsn", at: beforeMistake.lsn }, "lies before the end of");
});

test("a hole in the WAL ends what can be restored", async () => {
  const folder = join(
    directory,
    "stage",
    readdirSync(join(directory, "stage"))[0] ?? "",
    "wal/00000001",
  );
  const [last = ""] = readdirSync(folder).toSorted().toReversed();
  const end = String(await one("SELECT pg_current_wal_insert_lsn()::text"));
  rmSync(join(folder, last));
  await refused({ kind: "lsn", at: end }, /lies behind the end|no WAL is there/);
});
