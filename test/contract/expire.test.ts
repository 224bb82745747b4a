// Expiry on real repositories: what stays can be restored at every moment, also when the run dies at any of its writes.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDirectoryRepo } from "../../src/adapters/repo/directory.ts";
import { createS3Repo } from "../../src/adapters/repo/s3.ts";
import type { Bytes } from "../../src/backup/bytes.ts";
import { findBackup } from "../../src/backup/catalogue.ts";
import { type ExpiryOptions, expire } from "../../src/backup/expire.ts";
import { inUse } from "../../src/backup/in-use.ts";
import { verifyWal } from "../../src/backup/verify-wal.ts";
import { baseKey, expiredKey, inUseKey, walKey } from "../../src/model/repo-keys.ts";
import { Secret } from "../../src/model/secret.ts";
import type { RepositoryExpiry } from "../../src/model/wire/expiry.ts";
import type { Repo } from "../../src/ports/repo.ts";
import {
  failDrill,
  fill,
  IDENTITY,
  idOf,
  keysIn,
  LEFT,
  limit,
  PLAIN,
  putBackup,
  putText,
  RETENTION,
  requireConsistent,
  segment,
} from "../support/expiry-stage.ts";
import { S3Double } from "../support/s3-double.ts";

const run = (repo: Repo, more: Partial<ExpiryOptions> = {}): Promise<RepositoryExpiry> =>
  expire({
    ...{ signers: [], ownSigner: async () => undefined },
    ...{ repo, identity: IDENTITY, retention: RETENTION, isPreview: false, agreed: undefined },
    ...{ onStep: () => undefined, signal: limit() },
    ...more,
  });

/** The same repository for a process that dies after so many writes: nothing it tries later is done. */
function dyingAfter(repo: Repo, writes: number): Repo {
  let left = writes;
  const spend = (): void => {
    left -= 1;
    if (left < 0) throw new Error("this process is dead");
  };
  return {
    ...repo,
    put: async (...args) => {
      spend();
      return repo.put(...args);
    },
    remove: async (...args) => {
      spend();
      return repo.remove(...args);
    },
  };
}

interface Under extends AsyncDisposable {
  open(place: string): Repo;
}

const inDirectory = async (): Promise<Under> => {
  const directory = mkdtempSync(join(tmpdir(), "us-expire-"));
  return {
    open: (place) => createDirectoryRepo({ name: "near", directory, place }),
    async [Symbol.asyncDispose]() {
      rmSync(directory, { recursive: true });
    },
  };
};

const inStore = (store: S3Double, place: string): Repo => {
  const { accessKeyId, secretAccessKey } = store.keys;
  const keys = {
    accessKey: { kind: "text", text: new Secret(accessKeyId) },
    secretKey: { kind: "text", text: new Secret(secretAccessKey) },
  } as const;
  const { bucket, region, endpoint } = store;
  const settings = {
    ...({ kind: "s3", bucket, region, endpoint, prefix: "pg", pathStyle: true } as const),
    ...{ cafile: undefined, keys },
  };
  return createS3Repo({ name: "far", place, settings });
};

describe.each([
  ["a directory", 1, inDirectory],
  [
    "an object store",
    // A request takes longer than a file, and the steps are the same.
    4,
    async (): Promise<Under> => {
      const store = await S3Double.start();
      store.pageSize = 50;
      return {
        open: (place) => inStore(store, place),
        [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
      };
    },
  ],
])("expiry in %s", (_, stride, make) => {
  let under: Under;
  let places = 0;
  beforeAll(async () => {
    under = await make();
  });
  afterAll(() => under[Symbol.asyncDispose]());
  const filled = async (): Promise<Repo> => {
    places += 1;
    const repo = under.open(`shop/${places}`);
    await fill(repo);
    return repo;
  };

  it("shows what goes and why, and touches nothing until it is told to", async () => {
    const repo = await filled();
    const before = await keysIn(repo);
    const { backups, wal, tails, state } = await run(repo, { isPreview: true });
    expect(backups.map(({ id, fate, because }) => [id, fate, because])).toEqual([
      [idOf(6), "stays", "it is one of the newest 1"],
      [idOf(5), "goes", "newer ones keep what was promised"],
      [idOf(4), "stays", "it is one of the newest 2"],
      [idOf(3), "stays", "it is one of the newest 2"],
      [idOf(2), "stays", "it is the last one that was verified"],
      [idOf(1), "goes", "newer ones keep what was promised"],
    ]);
    expect([state, wal.files, tails.files]).toEqual(["planned", 3, 1]);
    expect(await keysIn(repo)).toEqual(before);
  });

  it("removes that and nothing else, and a second run finds nothing to do", async () => {
    const repo = await filled();
    expect(await run(repo)).toMatchObject({ state: "done", wal: { files: 3 } });
    expect(await keysIn(repo)).toEqual(LEFT);
    await requireConsistent(repo);
    expect(await run(repo)).toMatchObject({ state: "done", bytes: 0 });
    expect(await keysIn(repo)).toEqual(LEFT);
  });

  it("may die at any of its writes: what is there is consistent, and the next run ends it", async () => {
    let died = true;
    for (let writes = 0; died; writes += stride) {
      const repo = await filled();
      const { state } = await run(dyingAfter(repo, writes));
      died = state !== "done";
      await requireConsistent(repo);
      expect((await run(repo)).state).toBe("done");
      const notes = /^expiries\//;
      expect((await keysIn(repo)).filter((key) => !notes.test(key))).toEqual(LEFT);
    }
  });

  it("waits for who reads, and nobody begins to read what goes", async () => {
    const repo = await filled();
    const first = { repo, kind: "base", id: idOf(1), what: "restoring" } as const;
    await inUse(first, limit(), async () => {
      expect((await run(repo)).backups).toContainEqual(
        expect.objectContaining({
          id: idOf(1),
          fate: "stays",
          because: "it is being read or written",
        }),
      );
    });
    const kept = await keysIn(repo);
    expect(kept).toContain(baseKey(idOf(1), "base.tar"));
    expect(kept).toContain(walKey(segment(1), PLAIN));
    expect(kept).not.toContain(walKey(segment(0), PLAIN));
    // Marked while somebody reads: it goes when he has ended.
    const marking = run(dyingAfter(repo, 2));
    await marking;
    await expect(inUse(first, limit(), async () => "read")).rejects.toMatchObject({
      code: "BACKUP_MISSING",
    });
    await putText(repo, inUseKey(idOf(1), "a-reader-of-before"), "{}");
    expect((await run(repo)).state).toBe("done");
    expect(await keysIn(repo)).toContain(baseKey(idOf(1), "base.tar"));
    await repo.remove(inUseKey(idOf(1), "a-reader-of-before"), limit());
    expect((await run(repo)).state).toBe("done");
    expect((await keysIn(repo)).filter((key) => !key.startsWith("expiries/"))).toEqual(LEFT);
  });

  it("waits for who reads back the WAL behind a backup", async () => {
    const repo = await filled();
    const { record } = await findBackup(repo, idOf(1), limit());
    const states: string[] = [];
    const readBy: Repo = {
      ...repo,
      get: async (key, signal) => {
        if (key === walKey(segment(1), PLAIN)) states.push((await run(repo)).state);
        return repo.get(key, signal);
      },
    };
    const shelf = { repo: readBy, unpack: (_key: string, content: Bytes) => content };
    const verify = () => verifyWal({ shelf, record, onProgress: () => undefined, signal: limit() });
    expect(await verify()).toMatchObject({ segments: 5 });
    expect(states).toContain("done");
    expect(await keysIn(repo)).toContain(walKey(segment(1), PLAIN));
    expect(await keysIn(repo)).toContain(baseKey(idOf(1), "base.tar"));
    expect((await run(repo)).state).toBe("done");
    await putText(repo, expiredKey("base", idOf(1)), "{}");
    await expect(verify()).rejects.toMatchObject({ code: "BACKUP_MISSING" });
  });

  it("removes no WAL while a backup is being taken", async () => {
    const repo = await filled();
    await putText(repo, baseKey(idOf(7), "begun.json"), "{}");
    const { wal } = await run(repo);
    expect(wal).toMatchObject({ files: 0, because: expect.stringContaining("being taken") });
  });

  it.each<[string, (repo: Repo) => Promise<unknown>, string]>([
    [
      "another cluster's backup lies there",
      (repo) => putBackup(repo, 8, { systemId: "99" }),
      "is a backup of shop, system 99",
    ],
    [
      "a record names a file that is not in the list",
      (repo) => repo.remove(baseKey(idOf(3), "base.tar"), limit()),
      "is not in the list",
    ],
    [
      "a backup ends in the future",
      (repo) => putBackup(repo, 8, { finishedAtMs: Date.now() + 86_400_000 }),
      "in the future",
    ],
  ])("refuses everything when %s", async (_case, spoil, words) => {
    const repo = await filled();
    await spoil(repo);
    const before = await keysIn(repo);
    const refused = await run(repo);
    expect(refused).toMatchObject({ state: "refused", why: expect.stringContaining(words) });
    expect(await keysIn(repo)).toEqual(before);
  });

  it("removes nothing from a place that is somebody else's or nobody's, nor without a policy", async () => {
    const repo = await filled();
    const before = await keysIn(repo);
    const identity = { ...IDENTITY, storeId: "of a clone" };
    expect(await run(repo, { identity })).toMatchObject({ state: "refused" });
    const without = await run(repo, { retention: undefined });
    expect(without).toMatchObject({ state: "done", bytes: 0, backups: [] });
    expect(await keysIn(repo)).toEqual(before);
    const nobody = under.open("shop/nobody");
    expect(await run(nobody)).toMatchObject({ state: "refused" });
    expect(await keysIn(nobody)).toEqual([]);
  });
});

it("in a directory leaves no empty folders behind", async () => {
  const directory = mkdtempSync(join(tmpdir(), "us-expire-"));
  try {
    const repo = createDirectoryRepo({ name: "near", directory, place: "shop/1" });
    await fill(repo);
    await run(repo);
    const folders = readdirSync(join(directory, "shop/1/base")).toSorted();
    expect(folders).toEqual([idOf(2), idOf(3), idOf(4)]);
    expect(readdirSync(join(directory, "shop/1/tail"))).toEqual([segment(6)]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

it("keeps the last verified backup that failed no drill, and the WAL behind it", async () => {
  const directory = mkdtempSync(join(tmpdir(), "us-expire-"));
  try {
    const repo = createDirectoryRepo({ name: "near", directory, place: "shop/1" });
    await fill(repo);
    await failDrill(repo, 2, join(directory, "drill.key"));
    const { state, backups } = await run(repo);
    expect(state).toBe("done");
    expect(backups.find(({ id }) => id === idOf(1))).toMatchObject({
      fate: "stays",
      because: "it is the last one that was verified and failed no drill",
    });
    const keys = await keysIn(repo);
    for (const n of [1, 2, 3, 4]) expect(keys).toContain(baseKey(idOf(n), "base.tar"));
    expect(keys).toContain(walKey(segment(1), PLAIN));
    expect(keys).not.toContain(walKey(segment(0), PLAIN));
  } finally {
    rmSync(directory, { recursive: true });
  }
});

it("goes through an archive of years", async () => {
  const directory = mkdtempSync(join(tmpdir(), "us-expire-"));
  try {
    const repo = createDirectoryRepo({ name: "near", directory, place: "shop/1" });
    await fill(repo);
    const more = Array.from({ length: 200_000 }, (_, n) => ({
      ...{ key: walKey(segment(n + 7), PLAIN) ?? "", sizeBytes: 3, storedAtMs: Date.now() },
    }));
    const long: Repo = {
      ...repo,
      list: async (prefix, signal) => {
        const there = await repo.list(prefix, signal);
        return prefix === "wal/" ? [...there, ...more] : there;
      },
    };
    expect(await run(long)).toMatchObject({ state: "done", wal: { files: 3 } });
    expect(await keysIn(repo)).toEqual(LEFT);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

describe("an object store with faults", () => {
  it("whose answers get lost after the removal, or that is busy, loses nothing else", async () => {
    await using store = await S3Double.start();
    store.pageSize = 50;
    const repo = inStore(store, "shop/1");
    await fill(repo);
    const isRemoval = (method: string) => method === "DELETE";
    store.plan({ kind: "lost-answer" }, isRemoval, 3);
    store.plan({ kind: "status", status: 503, code: "SlowDown" }, isRemoval, 3);
    await run(repo);
    await requireConsistent(repo);
    await run(repo);
    expect(await keysIn(repo)).toEqual(LEFT);
  });

  it("that refuses to remove says so, and everything that counts is still there", async () => {
    await using store = await S3Double.start();
    store.pageSize = 50;
    const repo = inStore(store, "shop/1");
    await fill(repo);
    const isRemoval = (method: string, path: string) =>
      method === "DELETE" && path.includes("/base/");
    store.plan({ kind: "status", status: 403, code: "AccessDenied" }, isRemoval, 100);
    const told = await run(repo);
    expect(told).toMatchObject({ state: "failed", why: expect.stringContaining("removing") });
    await requireConsistent(repo);
  });

  it("whose list is cut short is not believed", async () => {
    await using store = await S3Double.start();
    store.pageSize = 5;
    const repo = inStore(store, "shop/1");
    await fill(repo);
    const before = await keysIn(repo);
    const bucket = `/${store.bucket}`;
    const isPage = (method: string, path: string) =>
      method === "GET" && (path === bucket || path === `${bucket}/`);
    store.plan({ kind: "status", status: 500, code: "InternalError" }, isPage, 100);
    expect(await run(repo)).toMatchObject({ state: "failed" });
    const after = [...store.objects.keys()].filter((key) => !key.includes("/expiries/"));
    expect(after).toHaveLength(before.length);
  });
});
