import { describe, expect, it } from "vitest";
import type { KeyValue, Range } from "../ports/store.ts";
import { keysOf } from "./keys.ts";
import { SnapshotReader } from "./snapshot.ts";

const keys = keysOf("service", "demo");
const hold = (holder: string, seq: number): string =>
  JSON.stringify({ holder, term: 5, seq, holdMs: 8_000 });

function entry(key: string, value: string, modRevision: number): KeyValue {
  return { key, value, createRevision: 5, modRevision, lease: "0" };
}

const range = (revision: number, ...entries: readonly KeyValue[]): Range => ({
  header: { clusterId: "c", revision, raftTerm: 2 },
  entries,
});

const status = entry(keys.status, '{"optime":100}', 6);

describe("a reader of snapshots", () => {
  it("answers the very same values for what has not changed", () => {
    const reader = new SnapshotReader(keys);
    const first = reader.read(range(7, entry(keys.hold, hold("n1", 1), 7), status), undefined);
    const second = reader.read(
      range(8, entry(keys.hold, hold("n1", 2), 8), { ...status }),
      undefined,
    );
    expect(second.status).toBe(first.status);
    expect(second.history).toBe(first.history);
    expect([first.hold?.seq, second.hold?.seq]).toEqual([1, 2]);
  });

  it("notes the store's revision although no key of ours has changed", () => {
    const reader = new SnapshotReader(keys);
    const first = reader.read(range(7, status), undefined);
    const second = reader.read(range(9, { ...status }), undefined);
    expect([first.header.revision, second.header.revision]).toEqual([7, 9]);
    expect(second.status).toBe(first.status);
  });

  it("reads other contents of the same revision: a store that was put back can come to it again", () => {
    const reader = new SnapshotReader(keys);
    reader.read(range(7, entry(keys.hold, hold("n1", 1), 7)), undefined);
    const again = reader.read(range(7, entry(keys.hold, hold("n2", 1), 7)), undefined);
    expect(again.hold?.holder).toBe("n2");
  });

  it("forgets a key that is gone", () => {
    const reader = new SnapshotReader(keys);
    reader.read(range(7, entry(keys.hold, hold("n1", 1), 7), status), undefined);
    const later = reader.read(range(8, status), undefined);
    expect(later.hold).toBeUndefined();
    expect(reader.read(range(9), undefined).status.value.position).toBeUndefined();
  });
});
