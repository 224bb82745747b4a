import fc from "fast-check";
import { expect, test } from "vitest";
import { parseConninfo, printConninfo } from "./conninfo.ts";

test("whatever is printed is read back", () => {
  const key = fc.stringMatching(/^[a-z_]{1,12}$/);
  fc.assert(
    fc.property(fc.dictionary(key, fc.string(), { noNullPrototype: true }), (info) => {
      expect(parseConninfo(printConninfo(info))).toEqual(info);
    }),
  );
});

test("bare values are read too", () => {
  expect(parseConninfo("host=10.0.0.1 port = 5433  user=a\\ b")).toEqual({
    host: "10.0.0.1",
    port: "5433",
    user: "a b",
  });
});
