// Does a record show that one bit of it was changed?
import { expect, it } from "vitest";
import type { BackupRecord } from "../model/backup-record.ts";
import { lsn } from "../model/lsn.ts";
import { recordIn, recordText } from "./record-text.ts";

const object = { file: "base.tar.zst", storedBytes: 100, sha256: "ab".repeat(32) };
const RECORD: BackupRecord = {
  format: 2,
  id: "20261127T044200Z-1f2e3d4c",
  label: "nightly",
  scope: "shop",
  systemId: "7712710031016192950",
  versionNumber: 150_018,
  segmentBytes: 16 * 1024 * 1024,
  timeline: 3,
  startLsn: lsn(0x3000028n),
  stopLsn: lsn(0x3000138n),
  startedAtMs: 1_795_754_520_000,
  finishedAtMs: 1_795_754_580_000,
  takenOn: "n2",
  takenFrom: "standby",
  dataBytes: 300,
  data: object,
  tablespaces: [],
  manifest: { ...object, file: "backup_manifest.zst" },
};

it("is read as it was written", () => {
  expect(recordIn(recordText(RECORD))).toMatchObject(RECORD);
});

it("is refused with any bit changed", () => {
  const whole = Buffer.from(recordText(RECORD));
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const changed = Buffer.from(whole);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect([bit, recordIn(changed.toString("utf8"))]).toEqual([bit, undefined]);
  }
});

it("of the first format had no seal", () => {
  const { seal: _, ...plain } = JSON.parse(recordText({ ...RECORD, format: 1 })) as {
    seal: string;
  };
  expect(recordIn(JSON.stringify(plain))).toMatchObject({ format: 1, id: RECORD.id });
});
