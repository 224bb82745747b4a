import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createS3Repo } from "../../src/adapters/repo/s3.ts";
import { Secret } from "../../src/model/secret.ts";
import type { Repo } from "../../src/ports/repo.ts";
import { hasMoto, startMoto } from "../support/moto.ts";
import { S3Double } from "../support/s3-double.ts";
import { repoContract } from "./repo-suite.ts";

const limit = (): AbortSignal => AbortSignal.timeout(30_000);

function open(store: S3Double, place: string, secret = store.keys.secretAccessKey): Repo {
  return createS3Repo({
    name: "far",
    place,
    settings: {
      kind: "s3",
      bucket: store.bucket,
      region: store.region,
      endpoint: store.endpoint,
      prefix: "pg",
      pathStyle: true,
      cafile: undefined,
      keys: {
        accessKey: { kind: "text", text: new Secret(store.keys.accessKeyId) },
        secretKey: { kind: "text", text: new Secret(secret) },
      },
    },
  });
}

repoContract("an object store", async () => {
  const store = await S3Double.start();
  return {
    open: (place) => open(store, place),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
});

// A second opinion, where there is one: our double might share an error of ours.
if (hasMoto()) repoContract("an object store of another maker (moto)", startMoto);

describe("an object store with faults", () => {
  let store: S3Double;
  let places = 0;
  beforeAll(async () => {
    store = await S3Double.start();
  });
  afterAll(() => store[Symbol.asyncDispose]());
  const fresh = (): Repo => {
    places += 1;
    return open(store, `demo/${places}`);
  };
  const put = (repo: Repo, key: string, bytes: Uint8Array) =>
    repo.put(key, one(bytes), {}, limit());

  it("shows that it refuses damaged bytes", async () => {
    expect(await fresh().probe(limit())).toEqual({
      createOnly: true,
      checksums: true,
      problems: [],
    });
  });

  it("that knows no conditions is called weak", async () => {
    store.plan({ kind: "weak" }, (method) => method === "PUT", 2);
    store.plan({ kind: "status", status: 404, code: "NotFound" }, (method) => method === "HEAD", 2);
    const { createOnly, problems } = await fresh().probe(limit());
    expect(createOnly).toBe(false);
    expect(problems[0]).toMatch(/can be overwritten/);
  });

  it("is asked again after a 503, and nobody notices", async () => {
    const repo = fresh();
    store.plan({ kind: "status", status: 503, code: "SlowDown" }, (method) => method === "PUT", 2);
    expect((await put(repo, "a", randomBytes(10))).kind).toBe("stored");
  });

  it("that loses its answer after the commit has stored the object once", async () => {
    const repo = fresh();
    const bytes = randomBytes(1000);
    store.plan({ kind: "lost-answer" }, (method) => method === "PUT");
    expect((await put(repo, "a", bytes)).kind).toMatch(/^(?:stored|exists-same)$/);
    store.plan({ kind: "lost-answer" }, (method) => method === "PUT", 4);
    expect((await put(repo, "b", bytes)).kind).toBe("exists-same");
    expect((await put(repo, "b", randomBytes(3))).kind).toBe("exists-different");
  });

  it("that cannot be asked after a lost answer leaves the outcome unknown", async () => {
    const repo = fresh();
    store.plan({ kind: "lost-answer" }, (method) => method === "PUT", 4);
    const heads = { seen: 0 };
    store.plan(
      { kind: "status", status: 503, code: "SlowDown" },
      (method) => {
        if (method === "HEAD") heads.seen += 1;
        return method === "HEAD" && heads.seen > 1;
      },
      4,
    );
    await expect(put(repo, "a", randomBytes(10))).rejects.toMatchObject({ code: "REPO_UNKNOWN" });
  });

  it("that ends early, or answers another byte, is not believed", async () => {
    const repo = fresh();
    await put(repo, "a", randomBytes(200_000));
    for (const kind of ["truncated", "wrong-byte"] as const) {
      store.plan({ kind }, (method) => method === "GET");
      await expect(all(repo, "a")).rejects.toMatchObject({
        code: expect.stringMatching(/^REPO_(?:DAMAGED|UNREACHABLE)$/),
      });
    }
    expect((await all(repo, "a")).length).toBe(200_000);
  });

  it("keeps nothing of an object in parts that was not finished", async () => {
    const repo = fresh();
    const failing = async function* (): AsyncIterable<Uint8Array> {
      yield randomBytes(17 * 1024 * 1024);
      throw new Error("the source is gone");
    };
    await expect(repo.put("a", failing(), {}, limit())).rejects.toThrow("the source is gone");
    expect(store.uploads.size).toBe(0);
    expect(await repo.list("", limit())).toEqual([]);
  });

  it("does not take a second object in parts, and forgets those", async () => {
    const repo = fresh();
    const large = randomBytes(17 * 1024 * 1024);
    const both = await Promise.all([
      put(repo, "a", large),
      put(repo, "a", randomBytes(17 * 1024 * 1024)),
    ]);
    expect(both.map(({ kind }) => kind).toSorted()).toEqual(["exists-different", "stored"]);
    expect(store.uploads.size).toBe(0);
  });

  it("is refused with its reason: a wrong key, a bucket that is not there", async () => {
    const wrong = open(store, "demo", "another secret");
    await expect(wrong.list("", limit())).rejects.toMatchObject({ code: "REPO_REFUSED" });
    store.plan({ kind: "status", status: 404, code: "NoSuchBucket" }, (method) => method === "GET");
    await expect(fresh().list("", limit())).rejects.toMatchObject({ code: "REPO_REFUSED" });
    store.plan({ kind: "status", status: 507, code: "InsufficientStorage" }, (m) => m === "PUT", 4);
    await expect(put(fresh(), "a", randomBytes(1))).rejects.toMatchObject({ code: "REPO_FULL" });
  });

  async function all(repo: Repo, key: string): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    for await (const part of await repo.get(key, limit())) parts.push(part);
    return Buffer.concat(parts);
  }
});

async function* one(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
