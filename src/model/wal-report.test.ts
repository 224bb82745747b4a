import { describe, expect, it } from "vitest";
import { slot } from "../../test/support/slot.ts";
import type { SlotState } from "./server.ts";
import type { SlotReport } from "./slot-report.ts";
import { type WalLook, walReport } from "./wal-report.ts";

const GB = 1024 ** 3;
const MB = 1024 ** 2;
const LOOK: WalLook = {
  files: { count: 64, bytes: GB },
  disk: { freeBytes: 50 * GB, totalBytes: 100 * GB },
  waiting: 0,
  archiver: { mode: "off", archived: 0, failed: 0, lastArchived: undefined, lastFailed: undefined },
  maxWalBytes: GB,
  keepBytes: 0,
  slots: [],
};
const report = (use: SlotReport["use"], of: Partial<SlotState> = {}): SlotReport => ({
  slot: slot("s", { active: false, ...of }),
  use,
  idleMs: 60_000,
  retainedBytes: GB,
  isSafe: undefined,
});
const judge = (look: Partial<WalLook> = {}, slots: readonly SlotReport[] = [], rate = MB) =>
  walReport(
    { ...LOOK, ...look },
    { isPrimary: true, slots, walPerSecond: rate, slotLimitBytes: undefined },
  );
const room = (safeBytes: number | undefined): WalLook["slots"] => [
  { name: "s", safeBytes, inactiveMs: undefined, failover: false },
];

describe("how long the disk lasts", () => {
  it("is no question while nothing keeps what would otherwise go", () => {
    expect(judge()).not.toHaveProperty("fullInMs");
    expect(judge({}, [report("member", { active: true })])).not.toHaveProperty("fullInMs");
    expect(judge().warnings).toEqual([]);
  });

  it("is the free space over the rate, while nobody reads a slot that has no limit", () => {
    const { fullInMs, warnings } = judge({}, [report("unknown")]);
    expect(fullInMs).toBe(50 * 1024 * 1000);
    expect(warnings[0]).toContain("slot s fills the disk in 14h 13m at this rate");
    expect(warnings[0]).toContain("dropping it: its reader can go on only if");
  });

  it("is the slot's trouble and not the disk's, when it is given up before", () => {
    const look = judge({ slots: room(10 * GB) }, [report("permanent")]);
    expect(look).not.toHaveProperty("fullInMs");
    expect(look.slots[0]).toMatchObject({ lostInMs: 10 * 1024 * 1000, safeBytes: 10 * GB });
    expect(look.warnings[0]).toContain("slot s is given up in 2h 50m");
  });

  it("is no question on a standby, whose slots are copies that follow", () => {
    const around = { slots: [report("member")], walPerSecond: MB, slotLimitBytes: undefined };
    const found = walReport(LOOK, { ...around, isPrimary: false });
    expect(found).not.toHaveProperty("fullInMs");
    expect(found.warnings).toEqual([]);
  });

  it("is unknown on an idle primary, and no alarm", () => {
    const { warnings, ...rest } = judge({}, [report("unknown")], 10);
    expect(rest).not.toHaveProperty("fullInMs");
    expect(warnings).toEqual([]);
  });

  it("is worth a word when little is left, whatever the rate", () => {
    const disk = { freeBytes: 5 * GB, totalBytes: 100 * GB };
    expect(judge({ disk }, [], 0).warnings).toEqual([
      "the disk of the WAL has 5.0 GB left of 100 GB",
    ]);
  });
});

describe("the archiver", () => {
  const archived = { file: "000000010000000000000008", ageMs: 600_000 };
  const failed = { file: "000000010000000000000009", ageMs: 4_000 };

  it("fails when the newest thing that happened was a failure, and then fills the disk", () => {
    const archiver = {
      mode: "on",
      archived: 8,
      failed: 12,
      lastArchived: archived,
      lastFailed: failed,
    };
    const found = judge({ archiver, waiting: 30 });
    expect(found.archiver.isFailing).toBe(true);
    expect(found.fullInMs).toBe(50 * 1024 * 1000);
    expect(found.warnings[0]).toMatch(/archiving fails: 0{7}1.*12 failures in all, 30 files wait/);
  });

  it("has recovered when it has archived since", () => {
    const archiver = {
      mode: "on",
      archived: 9,
      failed: 12,
      lastArchived: { ...archived, ageMs: 1_000 },
      lastFailed: failed,
    };
    expect(judge({ archiver }).archiver.isFailing).toBe(false);
    expect(judge({ archiver }).warnings).toEqual([]);
  });
});

it("says what dropping each kind of slot costs its reader", () => {
  const logical = { database: "app", plugin: "pgoutput", confirmedLsn: undefined };
  const costOf = (use: SlotReport["use"], of: Partial<SlotState> = {}) =>
    judge({}, [report(use, of)]).slots[0]?.dropCost;
  expect(costOf("member", { active: true })).toContain("refused");
  expect(costOf("member")).toContain("copied anew");
  expect(costOf("away")).toContain("when its member comes back");
  expect(costOf("temporary")).toContain("base backup");
  expect(costOf("permanent", { logical })).toContain("misses every change");
  expect(costOf("unknown")).toContain("archive");
  expect(costOf("unknown", { walStatus: "lost" })).toContain("nothing");
});
