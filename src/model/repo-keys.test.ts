import { describe, expect, it } from "vitest";
import {
  baseKey,
  clusterPlace,
  endingOf,
  IDENTITY_KEY,
  logicalKey,
  proofKey,
  unpacked,
  walFileOf,
  walKey,
  walPrefix,
} from "./repo-keys.ts";
import {
  type Compression,
  isOfOtherStore,
  parseIdentity,
  printIdentity,
  whyForeign,
} from "./repository.ts";

const SEGMENT = "0000000200000000000000A1";
const COMPRESSIONS: readonly Compression[] = ["zstd", "gzip", "none"];

describe("keys of a repository", () => {
  it("names a file of the archive and its packing, and finds both again", () => {
    for (const compression of COMPRESSIONS)
      for (const encrypted of [true, false])
        for (const file of [SEGMENT, `${SEGMENT}.partial`, "00000002.history"]) {
          const packing = { compression, encrypted };
          const key = walKey(file, packing) ?? "";
          expect(walFileOf(key)).toBe(file);
          expect(unpacked(key).packing).toEqual(packing);
          expect(key.endsWith(endingOf(packing))).toBe(true);
        }
  });

  it("puts segments below their timeline and histories above", () => {
    const packing = { compression: "zstd", encrypted: true } as const;
    expect(walKey(SEGMENT, packing)).toBe(`wal/00000002/${SEGMENT}.zst.age`);
    expect(walKey(SEGMENT, packing)?.startsWith(walPrefix(2))).toBe(true);
    expect(walKey("00000002.history", packing)).toBe("wal/00000002.history.zst.age");
    expect(walKey("../../etc/passwd", packing)).toBeUndefined();
    expect(walFileOf(baseKey("a", "base.tar.zst"))).toBeUndefined();
    expect(clusterPlace("demo", "7")).toBe("demo/7");
    for (const key of [IDENTITY_KEY, logicalKey("l", "app.dump"), proofKey("p")])
      expect(walFileOf(key)).toBeUndefined();
  });
});

describe("the identity of a repository", () => {
  const mine = {
    format: 1,
    scope: "demo",
    namespace: "service",
    systemId: "7",
    storeId: "s1",
  } as const;

  it("survives being written down", () => {
    expect(parseIdentity(printIdentity(mine))).toEqual(mine);
    expect(parseIdentity(printIdentity({ ...mine, storeId: undefined }))?.storeId).toBeUndefined();
    for (const bad of ["", "[]", "null", '{"format":2}', '{"format":1,"scope":3}'])
      expect(parseIdentity(bad)).toBeUndefined();
  });

  it("names what is foreign about another cluster", () => {
    expect(whyForeign(mine, mine)).toBeUndefined();
    expect(isOfOtherStore(mine, { ...mine, storeId: undefined })).toBe(false);
    expect(isOfOtherStore(mine, mine)).toBe(false);
    expect(whyForeign(mine, { ...mine, systemId: "8" })).toMatch(/system 8/);
    expect(whyForeign(mine, { ...mine, scope: "other" })).toMatch(/service\/other/);
    expect(isOfOtherStore(mine, { ...mine, storeId: "s2" })).toBe(true);
  });
});
