import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Decrypter, generateIdentity, identityToRecipient } from "age-encryption";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { decryptAge, digestOfAge, encryptAge } from "./age.ts";
import { bytesFrom, inPieces } from "./testing.ts";

const DIGEST = "ab".repeat(32);
/** Around the pieces of 64 KiB into which the format cuts. */
const SIZES = [0, 1, 65_535, 65_536, 65_537, 131_072, 200_001];

describe("encryption in the age format", () => {
  const keys = { identity: "", recipient: "", other: "" };
  beforeAll(async () => {
    keys.identity = await generateIdentity();
    keys.recipient = await identityToRecipient(keys.identity);
    keys.other = await generateIdentity();
  });
  const encrypt = (plain: Uint8Array, digest?: string): Promise<Buffer> =>
    bytesFrom(encryptAge(inPieces(plain, 10_007), { recipients: [keys.recipient], digest }));
  const decrypt = (object: Uint8Array, identities = [keys.identity]): Promise<Buffer> =>
    bytesFrom(decryptAge(inPieces(object, 9973), identities));

  it.each(SIZES)("opens %s bytes again, and so does the library", async (size) => {
    const plain = randomBytes(size);
    const object = await encrypt(plain, DIGEST);
    expect((await decrypt(object)).equals(plain)).toBe(true);
    const decrypter = new Decrypter();
    decrypter.addIdentity(keys.identity);
    expect(Buffer.from(await decrypter.decrypt(object)).equals(plain)).toBe(true);
  });

  it("is opened by the program age", async () => {
    const folder = mkdtempSync(join(tmpdir(), "us-age-"));
    try {
      const plain = randomBytes(150_000);
      writeFileSync(join(folder, "key"), keys.identity);
      const { stdout, stderr } = spawnSync("age", ["-d", "-i", join(folder, "key")], {
        input: await encrypt(plain, DIGEST),
      });
      expect(stderr.toString()).toBe("");
      expect(stdout.equals(plain)).toBe(true);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("tells what the plain content is without a private key, if it was told", async () => {
    const told = await encrypt(randomBytes(100_000), DIGEST);
    expect(await digestOfAge(inPieces(told, 50))).toBe(DIGEST);
    expect(await digestOfAge(inPieces(await encrypt(randomBytes(10)), 50))).toBeUndefined();
  });

  it("says that no private key fits, or that none is named", async () => {
    const object = await encrypt(randomBytes(10));
    await expect(decrypt(object, [keys.other])).rejects.toMatchObject({ code: "REPO_KEY_WRONG" });
    await expect(decrypt(object, [])).rejects.toMatchObject({ code: "REPO_KEY_WRONG" });
    expect((await decrypt(object, [keys.other, keys.identity])).length).toBe(10);
  });

  it("gives no content of an object in which one bit is wrong, or that was cut", async () => {
    const plain = randomBytes(140_000);
    const object = await encrypt(plain, DIGEST);
    await fc.assert(
      fc.asyncProperty(fc.nat(object.length * 8 - 1), async (bit) => {
        const changed = Buffer.from(object);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        await expect(decrypt(changed)).rejects.toMatchObject({
          code: expect.stringMatching(/^REPO_(?:DAMAGED|KEY_WRONG)$/),
        });
      }),
      { numRuns: 60 },
    );
    for (const end of [0, 50, 400, 66_000, object.length - 1])
      await expect(decrypt(object.subarray(0, end))).rejects.toMatchObject({
        code: expect.stringMatching(/^REPO_/),
      });
  });
});
