import { expect, it } from "vitest";
import { modeWarnings } from "./pool-traces.ts";

const NOTHING = { advisoryLocks: 0, temporaryTables: 0, listening: 0, settings: 0 };

it("warns of what transaction mode breaks, and only of what is in use", () => {
  expect(modeWarnings("app", "transaction", NOTHING)).toEqual([]);
  expect(
    modeWarnings("app", "transaction", { ...NOTHING, listening: 1, advisoryLocks: 2 }),
  ).toEqual([
    expect.stringMatching(/^app \(transaction mode\): 2 × advisory locks/),
    expect.stringMatching(/1 × LISTEN/),
  ]);
  expect(modeWarnings("app", "session", { ...NOTHING, listening: 1 })).toEqual([]);
});
