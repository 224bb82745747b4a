// Does the job tell what really lies in directories? Real ones, without any server.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createDirectoryRepo } from "../adapters/repo/directory.ts";
import { claimRepository } from "../adapters/repo/identity.ts";
import { bytesOf } from "../backup/bytes.ts";
import { type BackupRecord, printBackupRecord } from "../model/backup-record.ts";
import type { RepositoryEvidence } from "../model/copy-evidence.ts";
import { lsn } from "../model/lsn.ts";
import { baseKey, walKey } from "../model/repo-keys.ts";
import { parseNodeFile } from "../model/settings-file.ts";
import { verificationKey } from "../model/verification.ts";
import type { EvidenceReport } from "../model/wire/repositories.ts";
import type { Repo } from "../ports/repo.ts";
import { readEvidence } from "./evidence-task.ts";

const SYSTEM = "7712710031016192950";
const SEGMENT = 16 * 1024 * 1024;
const PLAIN = { compression: "none", encrypted: false } as const;
const signal = new AbortController().signal;

const object = { file: "base.tar", storedBytes: 100, sha256: "ab".repeat(32) };
/** Begun in the segment 2, whole in the same. */
const record = (id: string): BackupRecord => ({
  format: 1,
  id,
  label: "",
  scope: "shop",
  systemId: SYSTEM,
  versionNumber: 150_018,
  segmentBytes: SEGMENT,
  timeline: 1,
  startLsn: lsn(2 * SEGMENT + 40),
  stopLsn: lsn(2 * SEGMENT + 5_000),
  startedAtMs: 1_795_755_244_057,
  finishedAtMs: 1_795_755_244_564,
  takenOn: "n1",
  takenFrom: "primary",
  dataBytes: 100,
  data: object,
  tablespaces: [],
  manifest: { ...object, file: "backup_manifest" },
});
const OLDER = "20261126T045404Z-063dd4a5";
const NEWER = "20261127T045404Z-063dd4a5";

/** The folder of the test that runs. */
const here = { root: "" };
beforeEach(() => {
  here.root = mkdtempSync(join(tmpdir(), "us-evidence-"));
  for (const name of ["near", "far", "data"]) mkdirSync(join(here.root, name));
});
afterEach(() => rmSync(here.root, { recursive: true }));

/** What the job says when the node's file names these directories. */
async function evidenceOf(...names: readonly string[]): Promise<EvidenceReport> {
  const lines = names.map((name) => `    ${name}: {directory: ${join(here.root, name)}}`);
  const text = `
scope: shop
name: n1
restapi: {listen: "127.0.0.1:8008", connect_address: "127.0.0.1:8008"}
etcd3: {host: "127.0.0.1:2379"}
postgresql:
  listen: 127.0.0.1:5432
  connect_address: 127.0.0.1:5432
  data_dir: ${join(here.root, "data")}
  authentication: {superuser: {username: postgres}, replication: {username: rep, password: x}}
backup:
  repositories:
${lines.join("\n")}
`;
  const parsed = parseNodeFile(text, "n1.yml");
  if (parsed.kind !== "settings") throw new Error(JSON.stringify(parsed));
  const { settings } = parsed;
  const context = { settings, cluster: { systemId: SYSTEM }, progress: () => undefined, signal };
  return (await readEvidence(context, {})) as EvidenceReport;
}

async function claimed(name: string, systemId = SYSTEM): Promise<Repo> {
  const directory = join(here.root, name);
  const repo = createDirectoryRepo({ name, directory, place: `shop/${SYSTEM}` });
  const mine = {
    format: 1,
    scope: "shop",
    namespace: "service",
    systemId,
    storeId: undefined,
  } as const;
  await claimRepository(repo, { mine }, signal);
  return repo;
}

async function put(repo: Repo, key: string, text: string): Promise<void> {
  await repo.put(key, bytesOf(text), {}, signal);
}

const putBackup = (repo: Repo, id: string): Promise<void> =>
  put(repo, baseKey(id, "backup.json"), printBackupRecord(record(id)));

const putWal = async (repo: Repo, ...names: readonly string[]): Promise<void> => {
  for (const name of names) await put(repo, walKey(name, PLAIN) ?? "", "wal");
};

const heldBy = ({ items }: EvidenceReport, name: string): RepositoryEvidence["held"] | undefined =>
  items.find((one) => one.name === name)?.held;

test("the newest backup that is not damaged leads as far as WAL has no hole", async () => {
  const near = await claimed("near");
  await putBackup(near, OLDER);
  await putBackup(near, NEWER);
  const damage = { atMs: 7, depth: "content", outcome: "failed" } as const;
  await put(near, verificationKey(NEWER, damage), "{}");
  await putWal(near, "000000010000000000000002", "000000010000000000000003");
  const whole = heldBy(await evidenceOf("near"), "near");
  expect(whole).toMatchObject({
    kind: "read",
    backups: [{ id: NEWER, verified: damage }, { id: OLDER }],
    wal: { backup: OLDER, reach: "0/4000000", isBroken: false },
  });
  await putWal(near, "000000010000000000000005");
  const broken = heldBy(await evidenceOf("near"), "near");
  expect(broken).toMatchObject({ wal: { reach: "0/4000000", isBroken: true } });
});

test("WAL is followed over a promotion", async () => {
  const near = await claimed("near");
  await putBackup(near, OLDER);
  await putWal(near, "000000010000000000000002", "000000020000000000000003");
  await put(near, walKey("00000002.history", PLAIN) ?? "", "1\t0/3000100\tno recovery target\n");
  expect(heldBy(await evidenceOf("near"), "near")).toMatchObject({
    wal: { reach: "0/4000000", timeline: 2, isBroken: false },
  });
  await putWal(near, "000000020000000000000005");
  expect(heldBy(await evidenceOf("near"), "near")).toMatchObject({ wal: { isBroken: true } });
});

test("a backup without any WAL leads to its own end", async () => {
  await putBackup(await claimed("near"), OLDER);
  expect(heldBy(await evidenceOf("near"), "near")).toMatchObject({
    wal: { reach: "0/2001388", isBroken: false },
  });
});

test("a directory that is away is unknown, an empty one unclaimed, another cluster's foreign", async () => {
  await claimed("far", "1");
  const seen = await evidenceOf("near", "far", "away");
  expect(heldBy(seen, "near")).toEqual({ kind: "unclaimed" });
  expect(heldBy(seen, "far")).toMatchObject({
    kind: "foreign",
    why: expect.stringContaining("the system 1"),
  });
  expect(heldBy(seen, "away")).toMatchObject({ kind: "unknown", why: expect.anything() });
  expect(seen.items.map(({ place }) => place === undefined)).toEqual([false, false, true]);
});

test("a link does not hide that two names are one directory, nor a folder its file system", async () => {
  symlinkSync(join(here.root, "near"), join(here.root, "link"));
  const { items, dataVolume, dataMedium } = await evidenceOf("near", "link", "far");
  const [near, link, far] = items;
  expect(link?.place).toBe(near?.place);
  expect(far?.place).not.toBe(near?.place);
  expect([near?.volume, far?.volume, dataMedium]).toEqual([dataVolume, dataVolume, dataVolume]);
});

test("a record that cannot be read is named and is no backup", async () => {
  const near = await claimed("near");
  await put(near, baseKey(OLDER, "backup.json"), "{");
  expect(heldBy(await evidenceOf("near"), "near")).toEqual({
    kind: "read",
    backups: [],
    unreadable: [OLDER],
  });
});
