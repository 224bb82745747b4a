// Is a person told in time, and left in peace otherwise?
import { describe, expect, it } from "vitest";
import { slot } from "../../test/support/slot.ts";
import type { SlotState } from "./server.ts";
import { type SlotReport, slotWarnings } from "./slot-report.ts";

const GB = 1024 ** 3;
const room = {
  isPrimary: true,
  lost: [],
  limitBytes: 8 * GB,
  diskFreeBytes: 100 * GB,
  diskBytes: 200 * GB,
};
const report = (change: Partial<SlotReport> = {}, of: Partial<SlotState> = {}): SlotReport => ({
  slot: slot("s", { active: false, ...of }),
  use: "permanent",
  idleMs: 6 * 60_000,
  retainedBytes: GB,
  isSafe: undefined,
  ...change,
});

describe("a slot is reported", () => {
  it("when nobody has read it for five minutes, with what it keeps", () => {
    const words = "slot s has had no reader for 6m 0s and keeps 1.0 GB of WAL";
    expect(slotWarnings([report()], room)).toEqual([words]);
    expect(slotWarnings([report({ use: "unknown" })], room)).toEqual([words]);
    expect(slotWarnings([report({ idleMs: 299_000 })], room)).toEqual([]);
    expect(slotWarnings([report({ idleMs: undefined })], room)).toEqual([]);
  });

  it("when it keeps more than half of what it may, or than the disk has", () => {
    const fresh = report({ use: "member", idleMs: undefined, retainedBytes: 5 * GB });
    expect(slotWarnings([fresh], room)).toEqual(["slot s keeps 5.0 GB of WAL of at most 8.0 GB"]);
    const full = { ...room, diskFreeBytes: GB };
    expect(slotWarnings([fresh], full)).toEqual(["slot s keeps 5.0 GB of WAL of at most 6.0 GB"]);
  });

  it("when it is lost or about to be, before anything else", () => {
    const all = [
      report(),
      report({}, { walStatus: "unreserved" }),
      report({}, { walStatus: "lost" }),
    ];
    const said = slotWarnings(all, room);
    expect(said[0]).toMatch(/about to be lost/);
    expect(said[1]).toMatch(/is lost/);
  });
});

it("a standby's copies, members' slots and those that are none of our business are left in peace", () => {
  expect(slotWarnings([report()], { ...room, isPrimary: false })).toEqual([]);
  for (const use of ["member", "away", "ignored", "temporary"] as const)
    expect(slotWarnings([report({ use })], room)).toEqual([]);
});

it("no limit, or one beyond the disk, is said aloud", () => {
  expect(slotWarnings([], { ...room, limitBytes: undefined })).toEqual([
    "max_slot_wal_keep_size is unlimited: one forgotten slot can fill the disk",
  ]);
  expect(slotWarnings([], { ...room, limitBytes: 300 * GB })[0]).toMatch(/larger than the disk/);
});

it("a configured slot that a failover has lost is never passed over", () => {
  expect(slotWarnings([], { ...room, lost: ["cdc"] })[0]).toMatch(/^slot cdc did not survive/);
});
