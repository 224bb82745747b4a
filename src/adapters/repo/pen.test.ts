// Do gathered pieces all get into the file, in their order, and is a disk that refuses them heard of?
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { Pen } from "./pen.ts";

const directory = mkdtempSync(join(tmpdir(), "us-pen-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test("pieces of all sizes lie one behind the other", async () => {
  const path = join(directory, "file");
  const pieces = [0, 1, 30_000, 3_000_000, 0, 700_000, 700_000, 5].map((size) => randomBytes(size));
  const file = await open(path, "wx");
  const pen = new Pen(file);
  for (const piece of pieces) await pen.write(piece);
  await pen.end();
  await file.close();
  expect(readFileSync(path).equals(Buffer.concat(pieces))).toBe(true);
});

test("a full disk is told at the end at the latest", async () => {
  const file = await open("/dev/full", "w");
  const pen = new Pen(file);
  await pen.write(Buffer.alloc(10));
  await expect(pen.end()).rejects.toMatchObject({ code: "ENOSPC" });
  await file.close();
});
