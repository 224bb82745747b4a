// Does an object tell what it was told, or else that it was changed?
import { expect, it } from "vitest";
import { digestFrame, digestInFrame } from "./digest-frame.ts";
import { inPieces } from "./testing.ts";

const DIGEST = "0123456789abcdef".repeat(4);
const told = (object: Uint8Array) => digestInFrame(inPieces(object, 7)).catch(() => "damaged");

it("is told, whatever follows", async () => {
  const frame = digestFrame(DIGEST);
  expect(await told(frame)).toBe(DIGEST);
  expect(await told(Buffer.concat([frame, Buffer.alloc(500, 7)]))).toBe(DIGEST);
});

it("is not known where nothing, or another program, has said it", async () => {
  expect(await told(Buffer.alloc(500))).toBeUndefined();
  expect(await told(Buffer.alloc(0))).toBeUndefined();
  const other = Buffer.alloc(500);
  other.writeUInt32LE(0x184d2a50, 0);
  other.writeUInt32LE(4, 4);
  expect(await told(other)).toBeUndefined();
});

it("is never told wrong unnoticed as itself: of each changed bit something else comes", async () => {
  const frame = Buffer.from(digestFrame(DIGEST));
  for (let bit = 0; bit < frame.length * 8; bit++) {
    const changed = Buffer.from(frame);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const answer = await told(changed);
    expect(answer, `bit ${bit}`).not.toBe(DIGEST);
    // Without a valid head zstd itself refuses the object; behind it, the words are ours or damaged.
    if (answer === undefined) expect(bit).toBeLessThan(64);
  }
});
