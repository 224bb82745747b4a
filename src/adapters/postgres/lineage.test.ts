import { expect, test } from "vitest";
import { lsn } from "../../model/lsn.ts";
import { FIRST_BRANCH } from "../../model/timeline.ts";
import { lineageOf, parseLineage, printLineage } from "./lineage.ts";

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
  expect(lineageOf(record, "7", 1)).toEqual([FIRST_BRANCH]);
  expect(lineageOf(record, "7", 2)).toEqual([FIRST_BRANCH, second]);
  expect(lineageOf(record, "8", 1)).toEqual([]);
});
