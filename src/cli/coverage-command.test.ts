// What is said of a repository in which no moment can be restored yet?
import { expect, it } from "vitest";
import type { ShelfJson } from "../model/wire/vault.ts";
import { sentenceOn } from "./coverage-command.ts";

const SHELF: ShelfJson = {
  name: "far",
  required: true,
  ageMs: 1_000,
  timeline: 1,
  reach: "0/4000058",
  intervals: [],
  gaps: [],
};

it.each([
  [SHELF, "no base backup yet, so nothing can be restored"],
  [{ ...SHELF, base: { backups: 0 } }, "no base backup yet, so nothing can be restored"],
  [{ ...SHELF, base: { backups: 1 } }, "a base backup can be restored as it is"],
  [
    { ...SHELF, intervals: [{ timeline: 1, from: "0/3000050", to: "0/4000058" }] },
    "these moments can be restored",
  ],
])("%j", (shelf, words) => {
  expect(sentenceOn(shelf)).toContain(words);
});
