import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RepositoryIdentity } from "../../model/repository.ts";
import type { Repo } from "../../ports/repo.ts";
import { createDirectoryRepo } from "./directory.ts";
import { claimRepository } from "./identity.ts";
import { inPieces } from "./testing.ts";

const mine: RepositoryIdentity = {
  format: 1,
  scope: "demo",
  namespace: "service",
  systemId: "7",
  storeId: "s1",
};

describe("the owner of a repository", () => {
  const at: { directory: string; repo: Repo | undefined } = { directory: "", repo: undefined };
  const repo = (): Repo => {
    if (at.repo === undefined) throw new Error("no repository");
    return at.repo;
  };
  const limit = (): AbortSignal => AbortSignal.timeout(20_000);
  const claim = (who: RepositoryIdentity, continues = false) =>
    claimRepository(repo(), { mine: who, continues }, limit());
  beforeEach(() => {
    at.directory = mkdtempSync(join(tmpdir(), "us-owner-"));
    at.repo = createDirectoryRepo({ name: "near", directory: at.directory, place: "demo/7" });
  });
  afterEach(() => rmSync(at.directory, { recursive: true, force: true }));

  it("is who claims it first, once and for all its members", async () => {
    expect(await claim(mine)).toBe("claimed");
    expect(await claim(mine)).toBe("ours");
  });

  it("is one of many who claim it at once, and the others hear of it", async () => {
    const who = ["a", "b", "c", "d"].map((scope) => ({ ...mine, scope }));
    const outcomes = await Promise.allSettled(who.map((one) => claim(one)));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const outcome of outcomes)
      if (outcome.status === "rejected")
        expect(outcome.reason).toMatchObject({ code: "REPO_FOREIGN" });
  });

  it("keeps another cluster out, by name, and nothing is written", async () => {
    await claim(mine);
    const before = await repo().list("", limit());
    await expect(claim({ ...mine, scope: "other" }, true)).rejects.toMatchObject({
      code: "REPO_FOREIGN",
      why: expect.stringContaining("service/other"),
    });
    await expect(claim({ ...mine, storeId: "s2" })).rejects.toMatchObject({ code: "REPO_FOREIGN" });
    expect(await repo().list("", limit())).toEqual(before);
  });

  it("goes on in another store once a person has said so", async () => {
    await claim(mine);
    expect(await claim({ ...mine, storeId: "s2" }, true)).toBe("claimed");
    expect(await claim({ ...mine, storeId: "s2" })).toBe("ours");
    await expect(claim({ ...mine, storeId: "s3" })).rejects.toMatchObject({ code: "REPO_FOREIGN" });
  });

  it("is nobody we know when the record is not ours", async () => {
    await repo().put("repository.json", inPieces(Buffer.from("{}"), 9), {}, limit());
    await expect(claim(mine)).rejects.toMatchObject({ code: "REPO_FOREIGN" });
  });
});
