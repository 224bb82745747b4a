import { expect, it } from "vitest";
import { didYouMean, nearest } from "./nearest.ts";

it.each([
  ["data_dri", "data_dir"],
  ["DataDir", "data_dir"],
  ["dat_dir", "data_dir"],
  ["n22", "n2"],
])("%s probably means %s", (word, name) => {
  expect(nearest(word, ["listen", "data_dir", "n2"])).toBe(name);
});

it("offers nothing far-fetched", () => {
  expect(nearest("callbacks", ["listen", "data_dir"])).toBeUndefined();
  expect(didYouMean("x", [])).toBe("");
});
