// A record comes back as it was written; what is not whole is no record.
import { expect, test } from "vitest";
import { isSafePath, manifestSeal, parseManifest } from "./backup-manifest.ts";
import {
  type BackupRecord,
  backupIdOf,
  isBackupId,
  parseBackupRecord,
  printBackupRecord,
  printVersion,
} from "./backup-record.ts";
import { lsn } from "./lsn.ts";

const object = { file: "base.tar.zst", storedBytes: 100, sha256: "ab".repeat(32) };
const RECORD: BackupRecord = {
  format: 1,
  id: backupIdOf(1_795_755_244_057, "063dd4a5"),
  label: "nightly",
  scope: "shop",
  systemId: "7712710031016192950",
  versionNumber: 150_018,
  segmentBytes: 16_777_216,
  timeline: 1,
  startLsn: lsn(0x2000028),
  stopLsn: lsn(0x426a8a0),
  startedAtMs: 1_795_755_244_057,
  finishedAtMs: 1_795_755_244_564,
  takenOn: "b",
  takenFrom: "standby",
  dataBytes: 87_033_726,
  data: object,
  tablespaces: [{ ...object, file: "16385.tar.zst.age", oid: "16385", path: "/mnt/fast" }],
  manifest: { ...object, file: "backup_manifest.zst" },
};

test("a record comes back as it was written", () => {
  expect(RECORD.id).toBe("20261127T045404Z-063dd4a5");
  expect(isBackupId(RECORD.id)).toBe(true);
  expect(parseBackupRecord(printBackupRecord(RECORD))).toEqual(RECORD);
  expect(printVersion(RECORD.versionNumber)).toBe("15.18");
});

test("no field may be missing or of another kind", () => {
  const text = printBackupRecord(RECORD);
  for (const name of Object.keys(RECORD)) {
    const rest: Record<string, unknown> = JSON.parse(text);
    delete rest[name];
    expect([name, parseBackupRecord(JSON.stringify(rest))]).toEqual([name, undefined]);
  }
  expect(parseBackupRecord(text.slice(0, -5))).toBeUndefined();
  expect(parseBackupRecord(text.replace('"format": 1', '"format": 3'))).toBeUndefined();
  expect(parseBackupRecord(text.replace('"base.tar.zst"', '"../../x"'))).toBeUndefined();
});

test("a manifest is read with its seal", () => {
  const head = '{ "PostgreSQL-Backup-Manifest-Version": 1,\n"Files": [\n';
  const file =
    '{ "Path": "base/1/2", "Size": 7, "Checksum-Algorithm": "SHA256", "Checksum": "aa" }\n],\n';
  const text = `${head}${file}"Manifest-Checksum": "${"0".repeat(64)}"}\n`;
  expect(parseManifest(text)?.files.get("base/1/2")).toEqual({
    path: "base/1/2",
    sizeBytes: 7,
    sum: "aa",
  });
  expect(parseManifest(text)?.summedBy).toBe("SHA256");
  expect(parseManifest(text.replaceAll("SHA256", "CRC32C"))?.summedBy).toBe("CRC32C");
  expect(parseManifest(text.replaceAll("SHA256", "NONE"))).toBeUndefined();
  expect(manifestSeal(text)).toEqual({ covered: head + file, sha256: "0".repeat(64) });
  expect(manifestSeal(text.slice(0, -4))).toBeUndefined();
  expect(parseManifest(text.replace("base/1/2", "../2"))).toBeUndefined();
});

test("a path stays below its directory", () => {
  for (const path of ["a", "a/b", "pg_tblspc/1/PG_15/x"]) expect(isSafePath(path)).toBe(true);
  for (const path of ["", "/a", "../a", "a/../b", "a//b", "./a", "a\0b"]) {
    expect(isSafePath(path)).toBe(false);
  }
});
