import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateIdentity, identityToRecipient } from "age-encryption";
import { afterAll, describe, expect, it } from "vitest";
import { unpacked, walKey } from "../../model/repo-keys.ts";
import type { Compression } from "../../model/repository.ts";
import { createDirectoryRepo } from "./directory.ts";
import { type PackOptions, pack, unpack } from "./packing.ts";
import { digestThere, seal } from "./sealing.ts";
import { bytesFrom, inPieces } from "./testing.ts";

const limit = (): AbortSignal => AbortSignal.timeout(30_000);
const half = randomBytes(300_000);
const plain = Buffer.concat([half, Buffer.alloc(2_000_000), half]);
const digestOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const COMPRESSIONS: readonly Compression[] = ["zstd", "gzip", "none"];

async function* breaking(): AsyncIterable<Uint8Array> {
  yield half;
  throw new Error("the disk is gone");
}

async function* stalling(): AsyncIterable<Uint8Array> {
  yield half;
  await new Promise(() => undefined);
}

describe.each(COMPRESSIONS)("an object packed with %s", (compression) => {
  const packing = { compression, encrypted: false };
  const packed = (content: AsyncIterable<Uint8Array>, signal = limit()) =>
    bytesFrom(pack(content, { compression, recipients: [] }, signal));
  const opened = (object: Uint8Array) =>
    bytesFrom(unpack(inPieces(object, 70_001), { packing, identities: [] }, limit()));

  it("is what it was", async () => {
    const object = await packed(inPieces(plain, 65_536));
    expect((await opened(object)).equals(plain)).toBe(true);
    expect(object.length < plain.length / 2).toBe(compression !== "none");
    expect(await opened(await packed(inPieces(Buffer.alloc(0), 1)))).toEqual(Buffer.alloc(0));
  });

  it("fails with what its source failed with", async () => {
    await expect(packed(breaking())).rejects.toThrow("the disk is gone");
  });

  it("ends with the signal, however long its source is silent", async () => {
    const stop = new AbortController();
    const doing = packed(stalling(), stop.signal);
    stop.abort(new Error("enough"));
    await expect(doing).rejects.toThrow("enough");
  });

  it("is refused when it is not whole or was changed", async () => {
    if (compression === "none") return;
    const object = await packed(inPieces(plain, 65_536));
    await expect(opened(object.subarray(0, -9))).rejects.toMatchObject({ code: "REPO_DAMAGED" });
    const changed = Buffer.from(object);
    changed[200_000] = (changed[200_000] ?? 0) ^ 4;
    // Who unpacks it ends at once, long before all has been handed to it.
    const early = Buffer.from(object);
    early[0] = (early[0] ?? 0) ^ 4;
    await expect(opened(early)).rejects.toMatchObject({ code: "REPO_DAMAGED" });
    await expect(opened(changed)).rejects.toMatchObject({ code: "REPO_DAMAGED" });
  });
});

describe("sealing", () => {
  const packed = (how: PackOptions) => pack(inPieces(plain, 65_536), how, limit());
  const directory = mkdtempSync(join(tmpdir(), "us-seal-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  const places = { count: 0 };
  const fresh = () => {
    places.count += 1;
    return createDirectoryRepo({ name: "near", directory, place: `demo/${places.count}` });
  };

  it.each([
    ["zstd", true],
    ["zstd", false],
    ["none", true],
    ["none", false],
  ] as const)(
    "the same file twice is one, another one is refused (%s, encrypted: %s)",
    async (...kind) => {
      const [compression, encrypted] = kind;
      const identity = await generateIdentity();
      const recipients = encrypted ? [await identityToRecipient(identity)] : [];
      const repo = fresh();
      const sealing = (bytes: Uint8Array) =>
        seal(
          {
            repo,
            name: "wal/00000001/000000010000000000000001",
            packed: (how) => pack(inPieces(bytes, 65_536), how, limit()),
            digest: digestOf(bytes),
            packing: { compression, recipients },
          },
          limit(),
        );
      const first = await sealing(plain);
      const key = walKey("000000010000000000000001", { compression, encrypted });
      expect(first).toMatchObject({ kind: "stored", key });
      expect(await sealing(plain)).toMatchObject({ kind: "exists-same" });
      await expect(sealing(half)).rejects.toMatchObject({ code: "REPO_CONFLICT" });
      const object = await repo.get(first.key, limit());
      const { packing } = unpacked(first.key);
      const back = await bytesFrom(unpack(object, { packing, identities: [identity] }, limit()));
      expect(back.equals(plain)).toBe(true);
      expect(await digestThere(repo, first.key, limit())).toBe(digestOf(plain));
    },
  );

  it("tells its content in front, where zstd alone passes over it", async () => {
    const repo = fresh();
    const packing = { compression: "zstd", recipients: [] } as const;
    const sealing = { repo, name: "base/a/base.tar", packing, packed };
    const { key } = await seal({ ...sealing, digest: "ab".repeat(32) }, limit());
    expect(await digestThere(repo, key, limit())).toBe("ab".repeat(32));
    const file = join(directory, `demo/${places.count}`, key);
    const { stdout } = spawnSync("zstd", ["-dcq", file], { maxBuffer: 10_000_000 });
    expect(stdout.equals(plain)).toBe(true);
  });

  it("is read whole where it tells nothing", async () => {
    const repo = fresh();
    const packing = { compression: "zstd", recipients: [] } as const;
    await repo.put(
      "base/a/base.tar.zst",
      pack(inPieces(plain, 65_536), packing, limit()),
      {},
      limit(),
    );
    expect(await digestThere(repo, "base/a/base.tar.zst", limit())).toBe(digestOf(plain));
  });

  it("leaves objects that age and zstd alone can read", async () => {
    const identity = await generateIdentity();
    const repo = fresh();
    const { key } = await seal(
      {
        repo,
        name: "base/a/base.tar",
        packed,
        digest: digestOf(plain),
        packing: { compression: "zstd", recipients: [await identityToRecipient(identity)] },
      },
      limit(),
    );
    const file = join(directory, `demo/${places.count}`, key);
    const { stdout, stderr } = spawnSync(
      "bash",
      ["-c", 'age -d -i <(echo "$KEY") "$FILE" | zstd -d'],
      { env: { ...process.env, KEY: identity, FILE: file }, maxBuffer: 10_000_000 },
    );
    expect(stderr.toString()).toBe("");
    expect(stdout.equals(plain)).toBe(true);
  });
});
