import { describe, expect, it } from "vitest";
import { backupIdOf, isBackupId } from "./backup-record.ts";
import { type LogicalRecord, parseDumpWish, parseLogical, printLogical } from "./logical-backup.ts";

const record: LogicalRecord = {
  apiVersion: 1,
  kind: "logical",
  id: backupIdOf(Date.UTC(2026, 10, 27, 4, 42), "1f2e3d4c"),
  scope: "demo",
  systemId: "7",
  takenOn: "n2",
  serverVersion: "15.14",
  startedAtMs: 1,
  finishedAtMs: 2,
  database: "app",
  tables: [],
  format: "custom",
  jobs: 1,
  globals: false,
  objects: [{ file: "database.dump.zst", what: "database", storedBytes: 3, sha256: "aa" }],
  proof: { atMs: 3, depth: "contents", entries: 4 },
};

describe("the record of a logical backup", () => {
  it("has an id that says when it was taken", () => {
    expect(record.id).toBe("20261127T044200Z-1f2e3d4c");
    expect(isBackupId(record.id)).toBe(true);
    expect(isBackupId("../20261127T044200Z-1f2e3d4c")).toBe(false);
  });

  it("survives being written down, and what is no record of ours is none", () => {
    expect(parseLogical(printLogical(record))).toEqual(record);
    for (const bad of ["", "{}", "[]", printLogical(record).replace(": 1,", ": 2,")])
      expect(parseLogical(bad)).toBeUndefined();
    const outside = { ...record, objects: [{ ...record.objects[0], file: "../../x" }] };
    expect(parseLogical(JSON.stringify(outside))).toBeUndefined();
  });
});

describe("the wish for a logical backup", () => {
  it("has sensible defaults", () => {
    expect(parseDumpWish({ database: "app" })).toEqual({
      database: "app",
      tables: [],
      format: "custom",
      jobs: 1,
      globals: false,
    });
    expect(parseDumpWish({ globals: true }).database).toBeUndefined();
  });

  it.each([
    [{}, /name a database/],
    [{ database: "" }, /must be a name/],
    [{ database: 3 }, /must be a name/],
    [{ database: "a", tables: "t" }, /tables must be/],
    [{ database: "a", format: "tar" }, /custom, directory, plain, not "tar"/],
    [{ database: "a", jobs: 2 }, /need the format directory/],
    [{ database: "a", jobs: 0, format: "directory" }, /from 1 to 32/],
    [{ globals: true, tables: ["t"] }, /need the database/],
  ])("%j is refused in words", (input, words) => {
    expect(() => parseDumpWish(input)).toThrow(words);
  });
});
