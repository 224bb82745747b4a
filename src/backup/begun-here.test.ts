// Only what is surely dead is given up: another host, other namespaces and whoever still lives are left alone.
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createDirectoryRepo } from "../adapters/repo/directory.ts";
import { giveUpDead, isDead, noted } from "./begun-here.ts";
import { bytesOf } from "./bytes.ts";

const HERE = { bootId: "b", pidNamespace: "p", ipcNamespace: "i", hostId: "h" };
const ID = "20261127T040000Z-0000000a";
const signal = new AbortController().signal;
const at = { root: "" };

beforeEach(() => {
  at.root = mkdtempSync(join(tmpdir(), "us-begun-"));
});
afterEach(() => rmSync(at.root, { recursive: true }));

test("a runner is dead when its host was booted since, or when its process is gone", () => {
  const note = (host = {}) => ({ host: { ...HERE, ...host }, pid: 7, startTime: 70 });
  const living = (startTime: number | undefined) => () => startTime;
  expect(isDead(note(), HERE, living(70))).toBe(false);
  expect(isDead(note(), HERE, living(71))).toBe(true);
  expect(isDead(note(), HERE, living(undefined))).toBe(true);
  expect(isDead(note({ bootId: "a" }), HERE, living(70))).toBe(true);
  expect(isDead(note({ bootId: "a", hostId: "g" }), HERE, living(undefined))).toBe(false);
  expect(isDead(note({ pidNamespace: "q" }), HERE, living(undefined))).toBe(false);
});

test("what a dead one has begun is given up, and what a living one does is not", async () => {
  const dir = join(at.root, "begun");
  const repo = createDirectoryRepo({ name: "near", directory: at.root, place: "shop/1" });
  const open = (name: string) => (name === "near" ? repo : undefined);
  const files = async () => (await repo.list(`base/${ID}/`, signal)).map(({ key }) => key);
  for (const key of [`base/${ID}/begun.json`, `in-use/${ID}/1-x.json`])
    await repo.put(key, bytesOf("{}"), {}, signal);
  await noted(dir, { repo: "near", kind: "base", id: ID }, async () => {
    expect(await giveUpDead(dir, open, signal)).toEqual([]);
    const [name = ""] = readdirSync(dir);
    const note = JSON.parse(readFileSync(join(dir, name), "utf8")) as object;
    // As one that was killed would have left it, and one that was killed while it wrote.
    writeFileSync(join(dir, "dead.json"), JSON.stringify({ ...note, startTime: 1 }));
    writeFileSync(join(dir, "half.json"), '{"id":');
    utimesSync(join(dir, "half.json"), 1, 1);
    writeFileSync(join(dir, "new.json"), "");
    writeFileSync(join(dir, "far.json"), JSON.stringify({ ...note, repo: "far", startTime: 1 }));
    expect(await giveUpDead(dir, open, signal)).toEqual([ID]);
    expect(readdirSync(dir).filter((left) => left !== name)).toEqual(["far.json", "new.json"]);
  });
  expect(await files()).toEqual(
    ["backup.json", "begun.json", "expired.json"].map((name) => `base/${ID}/${name}`),
  );
  expect(await repo.list("in-use/", signal)).toEqual([]);
});
