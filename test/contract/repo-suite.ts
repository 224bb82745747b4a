// What a repository promises, whatever it lies on: whole objects, written once, found again.
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Repo } from "../../src/ports/repo.ts";

export interface RepoUnderTest extends AsyncDisposable {
  /** The repository at the place of one cluster; the same place for the same name. */
  open(place: string): Repo;
}

const LIMIT_MS = 20_000;

export function repoContract(name: string, make: () => Promise<RepoUnderTest>): void {
  describe(`a repository in ${name}`, () => {
    let under: RepoUnderTest;
    let places = 0;
    beforeAll(async () => {
      under = await make();
    });
    afterAll(() => under[Symbol.asyncDispose]());

    const fresh = (): Repo => {
      places += 1;
      return under.open(`demo/${places}`);
    };
    const limit = (): AbortSignal => AbortSignal.timeout(LIMIT_MS);

    it("stores an object once and finds it again, byte for byte", async () => {
      const repo = fresh();
      const bytes = randomBytes(300_000);
      const put = await repo.put("wal/00000001/a.zst", chunks(bytes), {}, limit());
      expect(put).toMatchObject({ kind: "stored", sizeBytes: bytes.length });
      expect(await bytesOf(repo, "wal/00000001/a.zst")).toEqual(bytes);
      const head = await repo.head("wal/00000001/a.zst", limit());
      expect(head).toMatchObject({ key: "wal/00000001/a.zst", sizeBytes: bytes.length });
      expect(head?.storedAtMs).toBeGreaterThan(1_600_000_000_000);
    });

    it("knows its own bytes again and leaves others as they are", async () => {
      const repo = fresh();
      const bytes = randomBytes(1000);
      await repo.put("a", chunks(bytes), {}, limit());
      expect((await repo.put("a", chunks(bytes), {}, limit())).kind).toBe("exists-same");
      const other = await repo.put("a", chunks(randomBytes(1000)), {}, limit());
      expect(other.kind).toBe("exists-different");
      expect(await bytesOf(repo, "a")).toEqual(bytes);
    });

    it("lets one of many win who put the same key at once", async () => {
      const repo = fresh();
      const all = Array.from({ length: 8 }, () => randomBytes(5000));
      const outcomes = await Promise.all(
        all.map((bytes) => repo.put("race", chunks(bytes), {}, limit())),
      );
      const winners = outcomes.flatMap(({ kind }, at) => (kind === "stored" ? [at] : []));
      expect(winners).toHaveLength(1);
      expect(await bytesOf(repo, "race")).toEqual(all[winners[0] ?? -1]);
    });

    it("stores nothing of a source that fails, or that is not what was announced", async () => {
      const repo = fresh();
      await expect(repo.put("a", failing(), {}, limit())).rejects.toThrow("the source is gone");
      const short = repo.put("b", chunks(randomBytes(10)), { sizeBytes: 11 }, limit());
      await expect(short).rejects.toMatchObject({ code: "NOT_POSSIBLE" });
      const wrong = repo.put("c", chunks(randomBytes(10)), { sha256: "00" }, limit());
      await expect(wrong).rejects.toMatchObject({ code: "NOT_POSSIBLE" });
      expect(await repo.list("", limit())).toEqual([]);
    });

    it("stores nothing when the signal ends it, and does not wait for the source", async () => {
      const repo = fresh();
      const stop = new AbortController();
      const putting = repo.put("a", stalling(stop), {}, stop.signal);
      await expect(putting).rejects.toThrow("enough");
      expect(await repo.head("a", limit())).toBeUndefined();
    });

    it("holds empty objects and large ones", async () => {
      const repo = fresh();
      const large = randomBytes(20 * 1024 * 1024 + 1);
      await repo.put("empty", chunks(Buffer.alloc(0)), {}, limit());
      await repo.put("large", chunks(large), {}, limit());
      expect(await bytesOf(repo, "empty")).toEqual(Buffer.alloc(0));
      expect((await bytesOf(repo, "large")).equals(large)).toBe(true);
    });

    it("says that an object is missing, and only then", async () => {
      const repo = fresh();
      expect(await repo.head("nowhere/at-all", limit())).toBeUndefined();
      await expect(bytesOf(repo, "nowhere/at-all")).rejects.toMatchObject({ code: "REPO_MISSING" });
      await repo.remove("nowhere/at-all", limit());
    });

    it("lists by prefix, in order, and forgets what was removed", async () => {
      const repo = fresh();
      for (const key of ["base/b/x", "base/a/x", "wal/1/s", "base/ab"])
        await repo.put(key, chunks(Buffer.from(key)), {}, limit());
      const keys = async (prefix: string) => (await repo.list(prefix, limit())).map((o) => o.key);
      expect(await keys("base/")).toEqual(["base/a/x", "base/ab", "base/b/x"]);
      expect(await keys("base/a")).toEqual(["base/a/x", "base/ab"]);
      expect(await keys("base/a/")).toEqual(["base/a/x"]);
      expect(await keys("nothing")).toEqual([]);
      await repo.remove("base/a/x", limit());
      expect(await keys("")).toEqual(["base/ab", "base/b/x", "wal/1/s"]);
    });

    it("keeps the objects of two clusters apart", async () => {
      const [one, other] = [fresh(), fresh()];
      await one.put("a", chunks(Buffer.from("one")), {}, limit());
      expect(await other.head("a", limit())).toBeUndefined();
      expect(await other.list("", limit())).toEqual([]);
    });

    it("shows what it can do by doing it, and leaves nothing of that behind", async () => {
      const repo = fresh();
      expect(await repo.probe(limit())).toMatchObject({ createOnly: true, problems: [] });
      expect(await repo.list("", limit())).toEqual([]);
    });

    async function bytesOf(repo: Repo, key: string): Promise<Buffer> {
      const parts: Uint8Array[] = [];
      for await (const part of await repo.get(key, limit())) parts.push(part);
      return Buffer.concat(parts);
    }
  });
}

async function* chunks(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

async function* failing(): AsyncIterable<Uint8Array> {
  yield Buffer.from("some");
  throw new Error("the source is gone");
}

/** Yields once, ends the put, and never yields again. */
async function* stalling(stop: AbortController): AsyncIterable<Uint8Array> {
  yield Buffer.from("some");
  stop.abort(new Error("enough"));
  await new Promise(() => undefined);
}
