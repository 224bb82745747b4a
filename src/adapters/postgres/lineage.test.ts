import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, test } from "vitest";
import { lsn } from "../../model/lsn.ts";
import { FIRST_BRANCH } from "../../model/timeline.ts";
import { lineageOf, parseLineage, printLineage, readLineage, writeLineage } from "./lineage.ts";

const second = { timeline: 2, parent: 1, forkLsn: lsn(0x3000148n), term: 17 };

test("a record is read back as it was written", () => {
  const record = { systemId: "7", branches: [FIRST_BRANCH], pending: second };
  expect(parseLineage(printLineage(record))).toEqual(record);
});

test("a damaged record is no record", () => {
  expect(parseLineage('{"systemId":"7","branches":[{"forkLsn":"x"}]}')).toBeUndefined();
  expect(parseLineage("")).toBeUndefined();
});

test("a pending branch counts once the data is on it", () => {
  const record = { systemId: "7", branches: [FIRST_BRANCH], pending: second };
  expect(lineageOf(record, 1)).toEqual([FIRST_BRANCH]);
  expect(lineageOf(record, 2)).toEqual([FIRST_BRANCH, second]);
});

describe("data whose record is not there, or another cluster's", () => {
  const stateDir = mkdtempSync(join(tmpdir(), "us-lineage-"));
  const dataDir = join(stateDir, "data");
  mkdirSync(join(dataDir, "pg_wal"), { recursive: true });
  afterAll(() => rmSync(stateDir, { recursive: true, force: true }));
  const control = { systemId: "7", timeline: 1, minRecoveryTimeline: 0 };
  const place = { dataDir, stateDir };

  it("is on the first branch while it was never promoted", async () => {
    expect(await readLineage(place, control)).toMatchObject({ branches: [FIRST_BRANCH] });
    await writeLineage(stateDir, { systemId: "8", branches: [second], pending: undefined });
    expect(await readLineage(place, control)).toMatchObject({ branches: [FIRST_BRANCH] });
  });

  it("has come by the branches of the server's own history file, none of which has a term of ours", async () => {
    const lines = "1\t0/3000148\tno recovery target specified\n\n2\t0/5000000\tbefore x\n";
    writeFileSync(join(dataDir, "pg_wal", "00000003.history"), lines);
    const { branches } = await readLineage(place, { ...control, minRecoveryTimeline: 3 });
    expect(branches.map(({ timeline, parent }) => [timeline, parent])).toEqual([
      [1, 0],
      [2, 1],
      [3, 2],
    ]);
    expect(branches[1]?.forkLsn).toBe(second.forkLsn);
    expect(branches.slice(1).every(({ term }) => term < 0)).toBe(true);
  });
});
