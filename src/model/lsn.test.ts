// Are positions read and printed as PostgreSQL does it?
import { bigInt, assert as check, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { lagBytes, lsn, maxLsn, parseLsn, printLsn } from "./lsn.ts";

const anyLsn = bigInt(0n, (1n << 64n) - 1n).map((bytes) => lsn(bytes));

describe("a position", () => {
  it("survives its text form", () => {
    check(
      property(anyLsn, (at) => {
        expect(parseLsn(printLsn(at))).toBe(at);
      }),
    );
  });

  it("is told from everything else", () => {
    for (const text of ["", "0", "/", "0/", "/0", "0/0 ", "0/123456789", "g/0", "-1/0"])
      expect(parseLsn(text)).toBeUndefined();
    check(
      property(string(), (text) => {
        const at = parseLsn(text);
        if (at !== undefined) expect(text).toMatch(/^[0-9A-Fa-f]+\/[0-9A-Fa-f]+$/);
      }),
    );
    expect(parseLsn("0/3000148")).toBe(lsn(0x3000148));
    expect(printLsn(lsn("4294967296"))).toBe("1/0");
  });

  it("is never behind itself", () => {
    check(
      property(anyLsn, anyLsn, (a, b) => {
        const lag = lagBytes(a, b);
        expect(lag).toBeGreaterThanOrEqual(0);
        expect(lag > 0 ? 1 : 0).toBe(a > b ? 1 : 0);
        expect(maxLsn(a, b) >= a && maxLsn(a, b) >= b).toBe(true);
      }),
    );
  });
});
