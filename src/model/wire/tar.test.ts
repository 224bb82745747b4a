// An archive of tar's own, read in pieces of any size; and one that is not whole.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { createTarReader, type TarEntry } from "./tar.ts";

const dir = mkdtempSync(join(tmpdir(), "us-tar-"));
mkdirSync(join(dir, "base/1"), { recursive: true });
writeFileSync(join(dir, "base/1/empty"), "");
writeFileSync(join(dir, "base/1/block"), "b".repeat(512));
writeFileSync(join(dir, "base/1/odd"), "o".repeat(1300));
symlinkSync("/elsewhere", join(dir, "base/link"));
const archive = execFileSync("tar", ["--format=ustar", "--sort=name", "-C", dir, "-c", "base"]);
afterAll(() => rmSync(dir, { recursive: true }));

function read(bytes: Uint8Array, pieces: readonly number[]): readonly string[] {
  const told: string[] = [];
  let entry: TarEntry | undefined;
  let count = 0;
  const reader = createTarReader({
    begin: (begun) => {
      [entry, count] = [begun, 0];
    },
    data: (data) => {
      count += data.length;
    },
    end: () => told.push(`${entry?.kind} ${entry?.path} ${count}/${entry?.sizeBytes}`),
  });
  let at = 0;
  for (const piece of pieces) {
    reader.push(bytes.subarray(at, at + piece));
    at += piece;
  }
  reader.push(bytes.subarray(at));
  reader.finish();
  return told;
}

const ALL = [
  "directory base 0/0",
  "directory base/1 0/0",
  "file base/1/block 512/512",
  "file base/1/empty 0/0",
  "file base/1/odd 1300/1300",
  "link base/link 0/0",
];

test("every entry is told with all of its bytes, in pieces of any size", () => {
  expect(read(archive, [])).toEqual(ALL);
  const pieces = fc.array(fc.integer({ min: 1, max: 1500 }), { maxLength: 20 });
  fc.assert(
    fc.property(pieces, (sizes) => {
      expect(read(archive, sizes)).toEqual(ALL);
    }),
  );
});

test("an archive that ends early is damaged", () => {
  for (const length of [100, 512, 2000, 4000]) {
    expect(() => read(archive.subarray(0, length), [])).toThrow("ends early");
  }
});

test("a flipped bit in a header is found", () => {
  for (const at of [0, 124, 150, 156, 300]) {
    const bytes = Buffer.from(archive);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    expect(() => read(bytes, [])).toThrow("damaged");
  }
});

test("a size of 8 GB and more is read as PostgreSQL writes it", () => {
  const header = Buffer.from(archive.subarray(1024, 1536));
  header.fill(0, 124, 136);
  header[124] = 0x80;
  header.writeBigUInt64BE(20_000_000_000n, 128);
  header.fill(" ", 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  let size = 0;
  const reader = createTarReader({
    begin: ({ sizeBytes }) => {
      size = sizeBytes;
    },
    data: () => undefined,
    end: () => undefined,
  });
  reader.push(header);
  expect(size).toBe(20_000_000_000);
});
