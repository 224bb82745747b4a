// Is every code explained, whatever its case, and offline?
import { expect, it } from "vitest";
import { DOCTOR_CHECKS } from "../model/doctor/examine.ts";
import { ERRORS } from "../model/error.ts";
import { ALL_REASONS } from "../model/reason.ts";
import { explain } from "./explain-command.ts";

const REASONS = Object.keys(ALL_REASONS);
const CODES = Object.keys(ERRORS);
const CHECKS = DOCTOR_CHECKS.map(({ id }) => id);

it("every reason, error code and check of the doctor is explained, as it is written", () => {
  for (const code of [...REASONS, ...CODES, ...CHECKS]) {
    const [title = "", ...more] = explain(code) ?? [];
    expect(title.startsWith(`${code} (`), code).toBe(true);
    expect(more.join("").length, code).toBeGreaterThan(5);
  }
});

it("the other spelling is understood, and what is no code has no explanation", () => {
  expect(explain("LEADING")?.[0]).toBe("leading (a reason)");
  expect(explain("pg_disk_full")?.[0]).toBe("PG_DISK_FULL (an error)");
  expect(explain("no_such_code")).toBeUndefined();
});

it("no name stands for two things in one spelling", () => {
  const all = [...REASONS, ...CODES, ...CHECKS];
  expect(new Set(all).size).toBe(all.length);
});
