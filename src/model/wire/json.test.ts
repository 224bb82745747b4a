import { expect, test } from "vitest";
import { parseJson, printJson } from "./json.ts";

test("whole numbers too long for a double arrive as text, fractions and exponents as numbers", () => {
  expect(
    parseJson('{"lsn":12345678901234567890,"x":0.12345678901234567,"y":1e1234567890123456}'),
  ).toEqual({
    lsn: "12345678901234567890",
    x: Number.parseFloat("0.12345678901234567"),
    y: Number.POSITIVE_INFINITY,
  });
});

test("digits inside a text stay a text", () => {
  expect(parseJson('["1234567890123456789"]')).toEqual(["1234567890123456789"]);
});

test("a bigint is written as a plain number, an absent field not at all", () => {
  expect(printJson({ at: 12345678901234567890n, none: undefined })).toBe(
    '{"at":12345678901234567890}',
  );
});
