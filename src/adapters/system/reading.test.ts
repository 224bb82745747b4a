import { mkdtempSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, it } from "vitest";
import { Reading } from "./reading.ts";

const dir = mkdtempSync(join(tmpdir(), "us-reading-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const path = join(dir, "file");

const seen = { wallMs: 0, reads: 0 };
const look = (reading: Reading<string>, ...basis: readonly unknown[]) =>
  reading.of(basis, async () => {
    seen.reads += 1;
    return `read ${seen.reads}`;
  });
const open = (isKept = true) =>
  new Reading<string>({
    files: [path],
    folders: [dir],
    wallMs: () => seen.wallMs,
    isKept: () => isKept,
  });

/** Two seconds after the last change. */
function settle(): void {
  const all = [dir, path].map((one) => statSync(one, { throwIfNoEntry: false })?.ctimeMs ?? 0);
  seen.wallMs = Math.max(...all) + 2_000;
}

beforeEach(() => {
  seen.reads = 0;
  writeFileSync(path, "one");
  settle();
});

it("reads a file once, and again when its text, its inode or its absence is new", async () => {
  const reading = open();
  expect(await look(reading)).toBe("read 1");
  expect(await look(reading)).toBe("read 1");
  utimesSync(path, 1, 1);
  settle();
  expect(await look(reading)).toBe("read 2");
  writeFileSync(join(dir, "new"), "two");
  renameSync(join(dir, "new"), path);
  settle();
  expect(await look(reading)).toBe("read 3");
  rmSync(path);
  settle();
  expect(await look(reading)).toBe("read 4");
  expect(await look(reading)).toBe("read 4");
  writeFileSync(path, "three");
  settle();
  expect(await look(reading)).toBe("read 5");
});

it("trusts no time of change that another change could still have", async () => {
  const reading = open();
  seen.wallMs -= 1;
  expect(await look(reading)).toBe("read 1");
  expect(await look(reading)).toBe("read 2");
  // A clock that was set back.
  seen.wallMs -= 3_600_000;
  expect(await look(reading)).toBe("read 3");
  expect(await look(reading)).toBe("read 4");
});

it("reads again when what else it depends on is another value", async () => {
  const reading = open();
  const [plan, other] = [{}, {}];
  expect(await look(reading, plan, 1)).toBe("read 1");
  expect(await look(reading, plan, 1)).toBe("read 1");
  expect(await look(reading, other, 1)).toBe("read 2");
  expect(await look(reading, other, 2)).toBe("read 3");
});

it("keeps nothing that may not be kept, and nothing of a reading that failed", async () => {
  const fleeting = open(false);
  expect(await look(fleeting)).toBe("read 1");
  expect(await look(fleeting)).toBe("read 2");
  const reading = open();
  await expect(reading.of([], () => Promise.reject(new Error("EIO")))).rejects.toThrow("EIO");
  expect(await look(reading)).toBe("read 3");
});
