// Is a person told what is wrong with the archive, and nothing while all is well?
import { expect, test } from "vitest";
import type { Coverage } from "./coverage.ts";
import { lsn } from "./lsn.ts";
import { type VaultState, vaultWarnings } from "./vault-state.ts";
import { USUAL_SEGMENT_SIZE } from "./wal-name.ts";
import { printVault } from "./wire/vault.ts";

const WHOLE: Coverage = { intervals: [], gaps: [], timeline: 2, reach: lsn(0x5000000) };
const HEALTHY: VaultState = {
  segmentSize: USUAL_SEGMENT_SIZE,
  waiting: { files: 0, bytes: 0, oldestMs: undefined },
  budgetBytes: 1024 ** 3,
  lastArchived: "000000010000000000000004",
  refusal: undefined,
  receiver: { kind: "elsewhere", why: undefined, forMs: 0, stored: undefined },
  shelves: [{ name: "near", required: true, trouble: undefined, coverage: WHOLE, ageMs: 900 }],
};

test("a vault without trouble says nothing, also while a file is on its way", () => {
  expect(vaultWarnings(HEALTHY)).toEqual([]);
  const waiting = { files: 1, bytes: USUAL_SEGMENT_SIZE, oldestMs: 2_000 };
  expect(vaultWarnings({ ...HEALTHY, waiting })).toEqual([]);
});

test("an archive that is behind says how much waits, since when and why", () => {
  const waiting = { files: 3, bytes: 3 * USUAL_SEGMENT_SIZE, oldestMs: 45_000 };
  const refusal = { why: "near: it is full", isConflict: false };
  expect(vaultWarnings({ ...HEALTHY, waiting, refusal })).toEqual([
    "the archive is behind: 48 MB of WAL in 3 files wait for it, the first for 45 s: near: it is full",
  ]);
});

test("a spent budget is said at once, and that nothing is dropped", () => {
  const waiting = { files: 64, bytes: 1024 ** 3, oldestMs: 1_000 };
  expect(vaultWarnings({ ...HEALTHY, waiting })[0]).toMatch(
    /^the budget of 1.0 GB is spent: 1.0 GB of WAL in 64 files wait for the archive, all of it is kept/,
  );
});

test("two histories of one name come first", () => {
  const refusal = { why: "two histories claim 000000010000000000000004 in near", isConflict: true };
  const waiting = { files: 1, bytes: 1, oldestMs: 60_000 };
  expect(vaultWarnings({ ...HEALTHY, refusal, waiting })[0]).toBe(refusal.why);
});

test("a hole is told with its place, its files and what made it", () => {
  const coverage: Coverage = {
    ...WHOLE,
    gaps: [
      {
        timeline: 1,
        first: 6,
        last: 8,
        cause: { kind: "promotion", child: 2, fork: lsn(0x9000100) },
      },
    ],
  };
  const state = {
    ...HEALTHY,
    shelves: [{ name: "near", required: true, trouble: undefined, coverage, ageMs: 1 }],
  };
  expect(vaultWarnings(state)).toEqual([
    "near has a hole on timeline 1 from 0/6000000 to 0/9000000 (000000010000000000000006 to 000000010000000000000008): it was not archived before the promotion to timeline 2 at 0/9000100; no restore goes beyond it, unless from a later base backup",
  ]);
  expect(printVault(state).repositories[0]?.gaps).toMatchObject([
    { from: "0/6000000", to: "0/9000000", files: 3, cause: "promotion" },
  ]);
});

test("a receiver that does not stream is told once it lasts", () => {
  const receiver = {
    kind: "failing",
    why: "connection refused",
    forMs: 25_000,
    stored: undefined,
  } as const;
  expect(vaultWarnings({ ...HEALTHY, receiver })).toEqual([
    "nothing streams into the vault for 25 s: connection refused",
  ]);
  expect(vaultWarnings({ ...HEALTHY, receiver: { ...receiver, forMs: 2_000 } })).toEqual([]);
});
