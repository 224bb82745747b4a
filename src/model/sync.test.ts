// Is what the agent writes into synchronous_standby_names what it reads back?
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSyncNames, printSyncNames, type SyncNames } from "./sync.ts";

const members = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 20 }), {
  minLength: 1,
  maxLength: 5,
});

describe("the names that a commit waits for", () => {
  it("are written as PostgreSQL reads them", () => {
    expect(printSyncNames({ kind: "first", count: 1, members: ["pg2"] })).toBe('FIRST 1 ("pg2")');
    expect(printSyncNames({ kind: "any", count: 2, members: ["b", 'odd"name', "d"] })).toBe(
      'ANY 2 ("b", "odd""name", "d")',
    );
    expect(printSyncNames({ kind: "nobody" })).toBe("");
    expect(printSyncNames({ kind: "unmanaged" })).toBeUndefined();
  });

  it("are read back as they were written, whatever the members are called", () => {
    fc.assert(
      fc.property(
        members,
        fc.constantFrom("first" as const, "any" as const),
        fc.integer({ min: 1, max: 999 }),
        (list, kind, count) => {
          const names: SyncNames = { kind, count, members: list };
          expect(parseSyncNames(printSyncNames(names) ?? "")).toEqual(names);
        },
      ),
    );
    const closed = printSyncNames({ kind: "closed" }) ?? "";
    expect(parseSyncNames(closed)).toEqual({ kind: "closed" });
  });

  it("of somebody else's writing are not taken for ours", () => {
    for (const text of ["b", "2 (a, b)", "*", 'FIRST 1 ("a"', 'ANY 0 ("a")'])
      expect(parseSyncNames(text)).toBeUndefined();
  });
});
