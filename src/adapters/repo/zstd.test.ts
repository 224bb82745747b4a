// Do files go through zstd whole, and does everybody hear of it when they do not?
import { spawnSync } from "node:child_process";
import { pbkdf2, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Packing } from "../../model/repository.ts";
import { createDirectoryRepo } from "./directory.ts";
import { objectIn, pack, type Source, unpack, unpackInto, unpackTo } from "./packing.ts";
import { bytesFrom, inPieces } from "./testing.ts";

const directory = mkdtempSync(join(tmpdir(), "us-zstd-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const at = (name: string): string => join(directory, name);

const limit = (): AbortSignal => AbortSignal.timeout(30_000);
const plain = Buffer.concat([randomBytes(300_000), Buffer.alloc(2_000_000), randomBytes(300_000)]);
writeFileSync(at("plain"), plain);
const zstd = { packing: { compression: "zstd", encrypted: false }, identities: [] } as const;

/** The packed file, with something done to it. */
function packedFile(name: string, change: (bytes: Buffer) => Buffer): { wholeFile: string } {
  const { stdout } = spawnSync("zstd", ["-qc", at("plain")], { maxBuffer: 10_000_000 });
  writeFileSync(at(name), change(stdout));
  return { wholeFile: at(name) };
}

const damages: readonly [string, (bytes: Buffer) => Buffer][] = [
  ["cut short", (bytes) => bytes.subarray(0, -9)],
  ["with one bit turned", (bytes) => bytes.fill((bytes[200_000] ?? 0) ^ 4, 200_000, 200_001)],
  ["that is something else", (bytes) => bytes.fill(7)],
];

describe("a file that is an object", () => {
  it.each(["zstd", "gzip", "none"] as const)(
    "is packed as its bytes are (%s)",
    async (compression) => {
      const how = { compression, recipients: [] };
      const object = await bytesFrom(pack({ wholeFile: at("plain") }, how, limit()));
      const { packing, identities } = { ...zstd, packing: { compression, encrypted: false } };
      writeFileSync(at("packed"), object);
      const from = [inPieces(object, 70_001), { wholeFile: at("packed") }];
      for (const one of from)
        expect((await bytesFrom(unpack(one, { packing, identities }, limit()))).equals(plain)).toBe(
          true,
        );
      await unpackTo(
        at("back"),
        { object: { wholeFile: at("packed") }, packing, identities },
        limit(),
      );
      expect(readFileSync(at("back")).equals(plain)).toBe(true);
      expect(statSync(at("back")).mode & 0o777).toBe(0o600);
    },
  );

  it.each(damages)("is refused %s", async (_, change) => {
    const object = packedFile("damaged", change);
    await expect(bytesFrom(unpack(object, zstd, limit()))).rejects.toMatchObject({
      code: "REPO_DAMAGED",
    });
    await expect(unpackTo(at("never"), { ...zstd, object }, limit())).rejects.toMatchObject({
      code: "REPO_DAMAGED",
    });
  });

  it.each(damages)("is refused %s by who takes it piece by piece", async (_, change) => {
    const object = packedFile("damaged", change);
    const doing = unpackInto(() => undefined, { ...zstd, object }, limit());
    await expect(doing).rejects.toMatchObject({ code: "REPO_DAMAGED" });
  });

  it("is whole also when the program has ended before anybody reads", async () => {
    writeFileSync(at("small"), randomBytes(60_000));
    // The threads that close files have other work to do: the program is quicker.
    let isBusy = true;
    const work = (): void =>
      pbkdf2("a", "b", 60_000, 64, "sha512", () => {
        if (isBusy) work();
      });
    for (let thread = 0; thread < 8; thread++) work();
    const how = { compression: "zstd", recipients: [], digest: "0".repeat(64) } as const;
    const object = await bytesFrom(pack({ wholeFile: at("small") }, how, limit()));
    isBusy = false;
    expect(object.length).toBeGreaterThan(60_000);
  });

  it("is missing where there is none", async () => {
    const repo = createDirectoryRepo({ name: "near", directory, place: "demo" });
    const object = await objectIn(repo, "wal/a.zst", limit());
    await expect(unpackTo(at("never"), { ...zstd, object }, limit())).rejects.toMatchObject({
      code: "REPO_MISSING",
    });
  });

  it("is not taken for damaged when the disk that it goes to is full", async () => {
    const object = packedFile("whole", (bytes) => bytes);
    await expect(unpackTo("/dev/full", { ...zstd, object }, limit())).rejects.toMatchObject({
      code: "PG_DISK_FULL",
    });
  });

  it("is let go when the signal says so", async () => {
    const object = packedFile("whole", (bytes) => bytes);
    const stop = AbortSignal.abort(new Error("enough"));
    await expect(unpackTo(at("never"), { ...zstd, object }, stop)).rejects.toThrow("enough");
  });
});

/** What comes piece by piece, copied as it must be. */
async function taken(object: Source, packing: Packing): Promise<Buffer> {
  const parts: Buffer[] = [];
  const take = (bytes: Uint8Array): void => void parts.push(Buffer.from(bytes));
  await unpackInto(take, { object, packing, identities: [] }, limit());
  return Buffer.concat(parts);
}

describe("an object that is taken piece by piece", () => {
  it.each(["zstd", "gzip", "none"] as const)("is what it was (%s)", async (compression) => {
    const how = { compression, recipients: [] };
    const object = await bytesFrom(pack({ wholeFile: at("plain") }, how, limit()));
    writeFileSync(at("pieces"), object);
    for (const source of [inPieces(object, 70_001), { wholeFile: at("pieces") }])
      expect((await taken(source, { compression, encrypted: false })).equals(plain)).toBe(true);
  });

  it("fails with what its taker throws, and lets the program go", async () => {
    const object = packedFile("whole", (bytes) => bytes);
    const take = (): never => {
      throw new Error("not this one");
    };
    await expect(unpackInto(take, { ...zstd, object }, limit())).rejects.toThrow("not this one");
  });

  it("fails with what its source fails with, and ends with the signal", async () => {
    const breaking = async function* (): AsyncIterable<Uint8Array> {
      yield Buffer.alloc(10);
      throw new Error("the disk is gone");
    };
    const object = breaking();
    await expect(unpackInto(() => undefined, { ...zstd, object }, limit())).rejects.toThrow(
      "the disk is gone",
    );
    const stalling = async function* (): AsyncIterable<Uint8Array> {
      yield Buffer.alloc(10);
      await new Promise(() => undefined);
    };
    const stop = new AbortController();
    const doing = unpackInto(() => undefined, { ...zstd, object: stalling() }, stop.signal);
    stop.abort(new Error("enough"));
    await expect(doing).rejects.toThrow("enough");
  });
});
