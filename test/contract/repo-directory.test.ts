import { mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createDirectoryRepo } from "../../src/adapters/repo/directory.ts";
import { type RepoUnderTest, repoContract } from "./repo-suite.ts";

const limit = (): AbortSignal => AbortSignal.timeout(20_000);
const bytes = async function* (text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
};

repoContract("a directory", async () => {
  const directory = mkdtempSync(join(tmpdir(), "us-repo-"));
  const under: RepoUnderTest = {
    open: (place) => createDirectoryRepo({ name: "near", directory, place }),
    async [Symbol.asyncDispose]() {
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return under;
});

it("does not make a directory that is not there: its disk may not be mounted", async () => {
  const directory = join(tmpdir(), "us-repo-that-is-not-there");
  const repo = createDirectoryRepo({ name: "near", directory, place: "demo/1" });
  await expect(repo.put("a", bytes("a"), {}, limit())).rejects.toMatchObject({
    code: "REPO_MISSING",
  });
  await expect(repo.list("", limit())).rejects.toMatchObject({ code: "REPO_MISSING" });
  await expect(repo.head("a", limit())).rejects.toMatchObject({ code: "REPO_MISSING" });
});

it("removes what a writer left that died a day ago, and not what is being written", async () => {
  const directory = mkdtempSync(join(tmpdir(), "us-repo-"));
  try {
    const open = () => createDirectoryRepo({ name: "near", directory, place: "demo" });
    await open().put("a", bytes("a"), {}, limit());
    const repo = open();
    const folder = join(directory, "demo");
    writeFileSync(join(folder, ".put-old"), "half");
    writeFileSync(join(folder, ".put-new"), "half");
    const twoDaysAgo = Date.now() / 1000 - 172_800;
    utimesSync(join(folder, ".put-old"), twoDaysAgo, twoDaysAgo);
    expect((await repo.list("", limit())).map(({ key }) => key)).toEqual(["a"]);
    await repo.put("b", bytes("b"), {}, limit());
    expect(readdirSync(folder).toSorted()).toEqual([".put-new", "a", "b"]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

it("does not stumble over what another writer has just removed", async () => {
  const directory = mkdtempSync(join(tmpdir(), "us-repo-"));
  try {
    const repo = createDirectoryRepo({ name: "near", directory, place: "demo" });
    await repo.put("a", bytes("a"), {}, limit());
    // Listed and not there: as a name looks that went between the two questions.
    symlinkSync("nowhere", join(directory, "demo/.put-gone"));
    expect((await repo.put("b", bytes("b"), {}, limit())).kind).toBe("stored");
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
