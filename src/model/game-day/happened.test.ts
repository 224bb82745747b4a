// Is a game day not taken for over while the server that was ended still stands as the leader's?
import { expect, it } from "vitest";
import { hasHappened } from "./happened.ts";

const before = { name: "n1", startedAt: "10:00" };

it.each([
  ["crash", { name: "n2", startedAt: "09:00" }, true],
  ["crash", { name: "n1", startedAt: "10:05" }, true],
  ["crash", { name: "n1", startedAt: undefined }, false],
  ["crash", before, false],
  ["switchover", { name: "n1", startedAt: "10:05" }, false],
  ["switchover", { name: "n2", startedAt: undefined }, true],
] as const)("of kind %s, %o: %s", (kind, now, expected) => {
  expect(hasHappened(kind, before, now)).toBe(expected);
});
