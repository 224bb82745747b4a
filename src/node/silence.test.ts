import { expect, test } from "vitest";
import { instant } from "../model/time.ts";
import { Silence } from "./silence.ts";

test("a silent member is remembered for ten seconds, an answer clears its name", () => {
  const time = { now: 0 };
  const silence = new Silence({ now: () => instant(time.now) });
  expect(silence.wasSilent("n2")).toBe(false);
  silence.heard("n2", false);
  time.now = 9_999;
  expect(silence.wasSilent("n2")).toBe(true);
  silence.heard("n2", false); // a second short wait does not prolong it
  time.now = 10_000;
  expect(silence.wasSilent("n2")).toBe(false);
  silence.heard("n2", false);
  silence.heard("n2", true);
  expect(silence.wasSilent("n2")).toBe(false);
});
