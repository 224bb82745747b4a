import { expect, test } from "vitest";
import { crc32c } from "./crc32c.ts";

test("the published check value of CRC-32C", () => {
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
});

test("parts count as one block", () => {
  expect(crc32c(Buffer.from("1234"), Buffer.from("56789"))).toBe(0xe3069283);
});
