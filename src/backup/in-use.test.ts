// Is a note gone as soon as nobody works on the backup any more, whenever it was renewed?
import { EventEmitter, once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createDirectoryRepo } from "../adapters/repo/directory.ts";
import { IN_USE_PREFIX } from "../model/repo-keys.ts";
import type { Repo } from "../ports/repo.ts";
import { inUse } from "./in-use.ts";

const ID = "20261127T040000Z-0000000a";
const signal = new AbortController().signal;
const here = { root: "" };

beforeEach(() => {
  here.root = mkdtempSync(join(tmpdir(), "us-in-use-"));
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(here.root, { recursive: true });
});

test("a note that is being renewed while the work ends is taken away too", async () => {
  const repo = createDirectoryRepo({ name: "near", directory: here.root, place: "shop/1" });
  const told = new EventEmitter();
  const renewed = once(told, "renewed");
  let puts = 0;
  const slow: Repo = {
    ...repo,
    put: async (...args) => {
      puts += 1;
      if (puts === 1) return repo.put(...args);
      await once(told, "ended");
      const outcome = await repo.put(...args);
      told.emit("renewed");
      return outcome;
    },
  };
  await inUse({ repo: slow, kind: "base", id: ID, what: "reading" }, signal, async () => {
    vi.advanceTimersByTime(3_600_000);
    setImmediate(() => told.emit("ended"));
  });
  await renewed;
  expect(puts).toBe(2);
  expect(await repo.list(IN_USE_PREFIX, signal)).toEqual([]);
});
