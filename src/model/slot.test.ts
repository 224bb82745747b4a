import { expect, test } from "vitest";
import { slotNameOf } from "./slot.ts";

test("a plain name is its own slot, dashes and dots become underscores", () => {
  expect(slotNameOf("pg1")).toBe("pg1");
  expect(slotNameOf("Node-1.example")).toBe("node_1_example");
});

test("any other character becomes its code point in four digits", () => {
  expect(slotNameOf("a b")).toBe("au0032b");
  expect(slotNameOf("é")).toBe("u0233");
});

test("a long name is cut to what PostgreSQL accepts", () => {
  expect(slotNameOf("x".repeat(100))).toHaveLength(63);
});
