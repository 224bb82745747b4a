import { expect, it } from "vitest";
import { printBytes, printSpan } from "./amounts.ts";

it.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1536, "1.5 kB"],
  [16 * 1024, "16 kB"],
  [1.2 * 1024 ** 3, "1.2 GB"],
])("%i bytes are %s", (bytes, words) => expect(printBytes(bytes)).toBe(words));

it.each([
  [-5, "0 s"],
  [840, "0.8 s"],
  [12_400, "12 s"],
  [200_000, "3m 20s"],
  [14_700_000, "4h 5m"],
  [1_051_200_000, "12d 4h"],
])("%i ms are %s", (ms, words) => expect(printSpan(ms)).toBe(words));
