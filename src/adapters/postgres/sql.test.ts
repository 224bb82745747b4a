import { expect, test } from "vitest";
import { lsn } from "../../model/lsn.ts";
import { bytesOf, type Look, readLook, upstreamOf } from "./sql.ts";

const standby: Look = {
  version: 150018,
  inRecovery: true,
  walLevel: "logical",
  startedAt: "2026-11-23 02:00:00+00",
  sharedSince: "2026-11-23 02:00:00+00",
  flushed: null,
  walFile: null,
  received: "0/3000000",
  replayed: "0/3000148",
  replayedAt: null,
  paused: false,
  startupWaits: "RecoveryWalStream",
  conninfo: "host='10.0.0.1' port='5433' user='rep'",
  receiver: null,
  senders: [],
  syncNames: "",
  slots: [],
  slotLimit: "1GB",
  pending: null,
};
const context = { timelinesOnDisk: [2, 1], pendingRestart: [] };

test("a standby's position is the larger of flushed and replayed", () => {
  expect(readLook(standby, context).position).toBe(lsn(0x3000148));
  expect(readLook({ ...standby, received: "0/4000000" }, context).position).toBe(lsn(0x4000000));
});

test("local WAL is exhausted once a walreceiver was asked for, or the startup process waits at the end", () => {
  const exhausted = (change: Partial<Look>) =>
    readLook({ ...standby, ...change }, context).exhausted;
  expect(exhausted({})).toBe(true);
  expect(exhausted({ received: null, startupWaits: null })).toBe(false);
  expect(exhausted({ received: null, startupWaits: "RecoveryRetrieveRetryInterval" })).toBe(true);
  expect(exhausted({ received: null, startupWaits: "WALRead" })).toBe(false);
});

test("a primary's timeline is that of the WAL it writes, not of its last checkpoint", () => {
  const primary = {
    ...standby,
    inRecovery: false,
    flushed: "0/5000000",
    walFile: "0000000A0000000000000005",
  };
  expect(readLook(primary, context)).toMatchObject({
    timeline: 10,
    exhausted: true,
    position: lsn(0x5000000),
  });
});

test("a standby's timeline is the newest that is known to be reached", () => {
  expect(readLook(standby, context).timeline).toBe(2);
  const receiver = {
    status: "streaming",
    host: "h",
    port: 1,
    slot: "s",
    flushed: "0/1",
    timeline: 3,
  };
  expect(readLook({ ...standby, receiver }, context).timeline).toBe(3);
});

test("the upstream is what primary_conninfo names", () => {
  expect(upstreamOf(standby.conninfo)).toBe("10.0.0.1:5433");
  expect(upstreamOf("host=db")).toBe("db:5432");
  expect(upstreamOf("")).toBeUndefined();
});

test("the limit of what slots may keep is read as the server prints it", () => {
  expect(["-1", "0", "512MB", "8GB", "2TB"].map(bytesOf)).toEqual([
    undefined,
    0,
    512 * 1024 ** 2,
    8 * 1024 ** 3,
    2 * 1024 ** 4,
  ]);
});
