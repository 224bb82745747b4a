import { expect, test } from "vitest";
import { tellsErrors } from "./settle.ts";

test("a whole file system's sync is trusted from Linux 5.8 on", () => {
  const kernels = [
    "4.19.0-27-amd64",
    "5.7.9",
    "5.8.0",
    "5.15.0-91-generic",
    "6.1.0-18-amd64",
    "odd",
  ];
  expect(kernels.map(tellsErrors)).toEqual([false, false, true, true, true, false]);
});
