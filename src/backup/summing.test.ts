// Is a sum what PostgreSQL writes? The values of an empty file and of "123456789" are in RFC 3720 and FIPS 180-4's examples.
import { expect, it } from "vitest";
import { createSumming } from "./summing.ts";

it.each([
  ["CRC32C", "", "00000000"],
  // 0xe3069283 with its lowest byte first.
  ["CRC32C", "123456789", "839206e3"],
  ["SHA256", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
  ["SHA256", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
] as const)("%s of %j", async (by, text, sum) => {
  const summing = await createSumming(by);
  summing.begin();
  summing.add(Buffer.from("another file"));
  summing.begin();
  for (const letter of text) summing.add(Buffer.from(letter));
  expect([summing.by, summing.end()]).toEqual([by, sum]);
});
