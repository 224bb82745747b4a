// Which store is ours, and which one continues it?
import { expect, it } from "vitest";
import { following } from "../../test/support/world.ts";
import type { ClusterSnapshot } from "./cluster.ts";
import { isOurs, isSameStore, recordOf } from "./store-record.ts";
import type { Succession } from "./succession.ts";

const { store } = following();
if (store.kind !== "known") throw new Error("the store of a healthy world is known");
const seen: ClusterSnapshot = store.value;
const record = recordOf(seen, undefined);

const NEXT: Succession = { id: "a", systemId: "7000000000000000001", termBase: 100, by: "n1" };
const anew = (value: Succession | undefined, revision = 3): ClusterSnapshot => ({
  ...seen,
  header: { clusterId: "other", revision, raftTerm: 1 },
  succession: { value, modRevision: 3 },
});

it("what was read is ours, and what was read before too", () => {
  expect(isOurs(seen, undefined)).toBe(true);
  expect(isOurs(seen, record)).toBe(true);
  const later = { ...seen, header: { ...seen.header, revision: 601 } };
  expect(isOurs(later, record)).toBe(true);
  expect(isOurs(seen, recordOf(later, record))).toBe(false);
});

it("another store is ours only when it says that it continues ours", () => {
  expect(isOurs(anew(undefined), record)).toBe(false);
  expect(isOurs(anew(NEXT), record)).toBe(true);
  expect(isOurs(anew({ ...NEXT, systemId: "8" }), record)).toBe(false);
  expect(isOurs(anew({ ...NEXT, termBase: 99 }), record)).toBe(false);
});

it("an older state of the store that continued ours is another one", () => {
  const followed = recordOf(anew(NEXT, 900), record);
  expect(isOurs(anew(NEXT, 899), followed)).toBe(false);
  expect(isOurs(anew({ ...NEXT, id: "b" }, 5), followed)).toBe(true);
});

it("remembers what a snapshot does not say", () => {
  const { hold: _, ...rest } = seen;
  const bare = { ...rest, hold: undefined, roster: { value: undefined, modRevision: 0 } };
  expect(recordOf(bare, record)).toMatchObject({
    leader: { name: "n1", term: 100 },
    members: record.members,
    branchTerm: 100,
  });
});

it("two snapshots are of one store while neither its id nor its succession changes", () => {
  expect(isSameStore(anew(NEXT), anew(NEXT, 9))).toBe(true);
  expect(isSameStore(anew(NEXT), anew({ ...NEXT, id: "b" }))).toBe(false);
  expect(isSameStore(seen, anew(undefined))).toBe(false);
});
