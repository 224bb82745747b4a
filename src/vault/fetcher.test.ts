// Does recovery get each file whole, and does it hear of an end only where the end is known?
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createDirectoryRepo } from "../adapters/repo/directory.ts";
import { createClock } from "../adapters/system/clock.ts";
import { fetchedDir, restoreCommandByHand } from "../model/wal-fetch.ts";
import { printSegment, USUAL_SEGMENT_SIZE } from "../model/wal-name.ts";
import { type FetchDoor, openFetchDoor } from "./fetcher.ts";
import { WalStore } from "./wal-store.ts";

const COUNT = 10;
const HISTORY = "00000002.history";
const nameOf = (number: number): string =>
  printSegment({ timeline: 1, number }, USUAL_SEGMENT_SIZE);
const hashOf = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
const signal = new AbortController().signal;

/** The folder of the test that runs, what was stored in it, and the door that stands open. */
const here: { root: string; hashes: Map<string, string>; door: FetchDoor | undefined } = {
  root: "",
  hashes: new Map(),
  door: undefined,
};

beforeEach(async () => {
  here.root = mkdtempSync(join(tmpdir(), "us-fetch-"));
  for (const folder of ["repo", "data/pg_wal", "wal"])
    mkdirSync(join(here.root, folder), { recursive: true });
  const near = storeOf("repo");
  for (let number = 1; number <= COUNT; number++) await put(near, nameOf(number), 64 * 1024);
  await put(near, HISTORY, 64);
});
afterEach(async () => {
  await here.door?.close();
  here.door = undefined;
  rmSync(here.root, { recursive: true });
});

function storeOf(folder: string): WalStore {
  const directory = join(here.root, folder);
  const repo = createDirectoryRepo({ name: folder, directory, place: "c/1" });
  return new WalStore(repo, { compression: "zstd", recipients: [], identities: [] });
}

async function put(store: WalStore, name: string, bytes: number): Promise<void> {
  const content = randomBytes(bytes);
  const path = join(here.root, "wal", name);
  writeFileSync(path, content);
  const sha256 = hashOf(content);
  await store.store({ name, path, sizeBytes: bytes, sha256 }, signal);
  here.hashes.set(name, sha256);
}

const segmentIn = (folder: string, number: number): string =>
  join(here.root, folder, "c/1/wal/00000001", `${nameOf(number)}.zst`);

/** As the server runs it: in the data directory, with the names put in. */
function recover(command: string, name: string): Promise<number> {
  const path = "pg_wal/RECOVERYXLOG";
  const meanings: Readonly<Record<string, string>> = { "%f": name, "%p": path, "%%": "%" };
  const text = command.replaceAll(/%[fp%]/g, (what) => meanings[what] ?? "");
  return new Promise((resolve) => {
    execFile("/bin/sh", ["-c", text], { cwd: join(here.root, "data") }, (error) =>
      resolve(error === null ? 0 : Number(error.code)),
    );
  });
}

const recovered = (): string =>
  hashOf(readFileSync(join(here.root, "data", "pg_wal", "RECOVERYXLOG")));

const byDoor = async (): Promise<string> => {
  here.door = await openFetchDoor({
    stores: [storeOf("repo")],
    dir: join(here.root, "fetching"),
    segmentSize: USUAL_SEGMENT_SIZE,
    clock: createClock(),
  });
  return here.door.restoreCommand;
};

const byHand = async (): Promise<string> =>
  restoreCommandByHand({
    root: join(here.root, "repo", "c/1"),
    packing: { compression: "zstd", encrypted: false },
    identityFile: undefined,
  });

describe.each([
  ["through the worker", byDoor],
  ["by hand, with nothing of ours", byHand],
])("%s", (_, commandOf) => {
  test("every file arrives as it was, in the order of recovery", async () => {
    const command = await commandOf();
    expect(await recover(command, HISTORY)).toBe(0);
    expect(recovered()).toBe(here.hashes.get(HISTORY));
    for (let number = 1; number <= COUNT; number++) {
      expect(await recover(command, nameOf(number))).toBe(0);
      expect(recovered()).toBe(here.hashes.get(nameOf(number)));
    }
  });

  test("what is not there is 1 at the end of the WAL, and for a history", async () => {
    const command = await commandOf();
    expect(await recover(command, nameOf(COUNT + 1))).toBe(1);
    expect(await recover(command, "00000003.history")).toBe(1);
  });

  test("a hole ends recovery with an error instead of ending it early", async () => {
    rmSync(segmentIn("repo", 7));
    const command = await commandOf();
    expect(await recover(command, nameOf(6))).toBe(0);
    expect(await recover(command, nameOf(7))).toBe(200);
  });
});

test("by hand a repository that is not mounted is no end of the WAL", async () => {
  const command = await byHand();
  rmSync(join(here.root, "repo"), { recursive: true });
  expect(await recover(command, nameOf(1))).toBe(200);
});

test("a second repository gives what the first one has not", async () => {
  mkdirSync(join(here.root, "far"));
  await put(storeOf("far"), nameOf(COUNT + 1), 1024);
  here.door = await openFetchDoor({
    stores: [storeOf("repo"), storeOf("far")],
    dir: join(here.root, "fetching"),
    segmentSize: USUAL_SEGMENT_SIZE,
    clock: createClock(),
  });
  expect(await recover(here.door.restoreCommand, nameOf(COUNT + 1))).toBe(0);
  expect(recovered()).toBe(here.hashes.get(nameOf(COUNT + 1)));
});

test("what comes next is laid down before it is asked for, and nothing of it stays", async () => {
  const command = await byDoor();
  expect(await recover(command, nameOf(1))).toBe(0);
  const ahead = join(fetchedDir(join(here.root, "fetching")), nameOf(2));
  await expect.poll(() => existsSync(ahead), { timeout: 30_000 }).toBe(true);
  await here.door?.close();
  expect(existsSync(fetchedDir(join(here.root, "fetching")))).toBe(false);
});
