// Is a file packed once for all repositories, and does nobody get half of one?
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { unpack } from "../adapters/repo/packing.ts";
import { bytesFrom, inPieces } from "../adapters/repo/testing.ts";
import { PackedOnce } from "./packed-once.ts";

const root = mkdtempSync(join(tmpdir(), "us-packed-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const limit = (): AbortSignal => AbortSignal.timeout(30_000);
const content = randomBytes(2_000_000);
const path = join(root, "000000010000000000000001");
writeFileSync(path, content);
const how = { compression: "zstd", recipients: [] } as const;
const fileOf = (sizeBytes: number) => ({ name: "a", path, sizeBytes, sha256: "" });

test.each([
  ["kept for the others", content.length, true],
  ["packed anew when it is large", 64 * 1024 * 1024, false],
])("a file is %s", async (_, sizeBytes, isKept) => {
  const packed = new PackedOnce(fileOf(sizeBytes), limit());
  const first: Uint8Array[] = [];
  for await (const part of packed.bytes(how)) first.push(part);
  const again: Uint8Array[] = [];
  for await (const part of packed.bytes(how)) again.push(part);
  expect(first[0] === again[0]).toBe(isKept);
  const object = Buffer.concat(again);
  const packing = { compression: "zstd", encrypted: false } as const;
  const back = unpack(inPieces(object, object.length), { packing, identities: [] }, limit());
  expect((await bytesFrom(back)).equals(content)).toBe(true);
});

test("everybody who waits for a file hears that it could not be packed", async () => {
  const packed = new PackedOnce({ ...fileOf(1), path: join(root, "nowhere") }, limit());
  const outcomes = await Promise.allSettled([1, 2].map(() => bytesFrom(packed.bytes(how))));
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
});
