// Does the gate say yes only for what is in every required repository, and never for another content of the same name?
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createDirectoryRepo } from "../adapters/repo/directory.ts";
import { createClock } from "../adapters/system/clock.ts";
import { createLog } from "../adapters/system/log.ts";
import { gateScript, renderGate, vaultSocket } from "../model/wal-gate.ts";
import { parseWalName, segmentStart } from "../model/wal-name.ts";
import { openDoor } from "./door.ts";
import { Lane, type Shelf } from "./lane.ts";
import { WalStore } from "./wal-store.ts";

const SYSTEM = "7123456789012345678";
const SIZE = 1024 * 1024;
const PATIENCE_MS = 30_000;
const ONE = "000000010000000000000001";
const TWO = "000000010000000000000002";

/** The folder of the test that runs, and what was logged in it. */
const here = { root: "" };
const lines: string[] = [];
const signal = new AbortController().signal;

beforeEach(() => {
  here.root = mkdtempSync(join(tmpdir(), "us-lane-"));
  mkdirSync(join(here.root, "data/pg_wal/archive_status"), { recursive: true });
  for (const name of ["near", "far"]) mkdirSync(join(here.root, name));
  lines.length = 0;
});
afterEach(() => rmSync(here.root, { recursive: true }));

const walPath = (name: string): string => join(here.root, "data/pg_wal", name);

/** A segment with the header that PostgreSQL writes, and noise behind it. */
function writeSegment(name: string, changes: { system?: string; bytes?: number } = {}): void {
  const parsed = parseWalName(name, SIZE);
  if (parsed?.kind !== "segment") throw new Error(name);
  const content = randomBytes(SIZE);
  content.writeUInt32LE(parsed.timeline, 4);
  content.writeBigUInt64LE(segmentStart(parsed.number, SIZE), 8);
  content.writeBigUInt64LE(BigInt(changes.system ?? SYSTEM), 24);
  content.writeUInt32LE(SIZE, 32);
  writeFileSync(walPath(name), content.subarray(0, changes.bytes ?? SIZE));
}

function shelf(name: string, required: boolean): Shelf {
  const repo = createDirectoryRepo({ name, directory: join(here.root, name), place: "c/1" });
  const how = { compression: "gzip", recipients: [], identities: [] } as const;
  return { store: new WalStore(repo, how), required };
}

function lane(shelves: readonly Shelf[] = [shelf("near", true)]): Lane {
  return new Lane({
    dataDir: join(here.root, "data"),
    systemId: SYSTEM,
    segmentSize: SIZE,
    shelves,
    clock: createClock(),
    log: createLog({ level: "debug", isTerminal: false, write: (line) => lines.push(line) }),
  });
}

async function contentIn({ store }: Shelf, name: string): Promise<Buffer | undefined> {
  const content = await store.read(name, signal);
  if (content === undefined) return undefined;
  const parts: Uint8Array[] = [];
  for await (const part of content) parts.push(part);
  return Buffer.concat(parts);
}

describe("a lane", () => {
  test("says yes when the file is in the repository, and again for the same content", async () => {
    writeSegment(ONE);
    const near = shelf("near", true);
    expect(await lane([near]).archive(ONE, PATIENCE_MS)).toEqual({ kind: "yes" });
    expect(await lane([near]).archive(ONE, PATIENCE_MS)).toEqual({ kind: "yes" });
    expect(await contentIn(near, ONE)).toHaveLength(SIZE);
  });

  test("says no, loudly, to another content of the same name, and overwrites nothing", async () => {
    writeSegment(ONE);
    const near = shelf("near", true);
    await lane([near]).archive(ONE, PATIENCE_MS);
    const before = await contentIn(near, ONE);
    writeSegment(ONE);
    expect(await lane([near]).archive(ONE, PATIENCE_MS)).toMatchObject({ kind: "conflict" });
    expect(before?.equals((await contentIn(near, ONE)) ?? Buffer.of())).toBe(true);
    expect(lines.join("")).toContain("already archived");
  });

  test("forgets what it knew of a name when the file has changed", async () => {
    writeSegment(ONE);
    const one = lane();
    expect(await one.archive(ONE, PATIENCE_MS)).toEqual({ kind: "yes" });
    rmSync(walPath(ONE));
    writeSegment(ONE);
    expect(await one.archive(ONE, PATIENCE_MS)).toMatchObject({ kind: "conflict" });
  });

  test("waits for every required repository, and for no other", async () => {
    writeSegment(ONE);
    rmSync(join(here.root, "far"), { recursive: true });
    const near = shelf("near", true);
    const both = await lane([near, shelf("far", true)]).archive(ONE, PATIENCE_MS);
    expect(both).toMatchObject({ kind: "no", why: expect.stringContaining("far: ") });
    expect(await lane([near, shelf("far", false)]).archive(ONE, PATIENCE_MS)).toEqual({
      kind: "yes",
    });
  });

  test("takes the file when the repository is there again", async () => {
    writeSegment(ONE);
    const one = lane();
    renameSync(join(here.root, "near"), join(here.root, "away"));
    expect(await one.archive(ONE, PATIENCE_MS)).toMatchObject({ kind: "no" });
    renameSync(join(here.root, "away"), join(here.root, "near"));
    expect(await one.archive(ONE, PATIENCE_MS)).toEqual({ kind: "yes" });
  });

  test.each([
    ["cut short", { bytes: SIZE / 2 }, `it has ${SIZE / 2} bytes instead of ${SIZE}`],
    ["without a header", { bytes: 10 }, "it is cut short"],
    ["of another cluster", { system: "99" }, "it belongs to the system 99"],
  ])("keeps out a segment %s", async (_, changes, why) => {
    writeSegment(ONE, changes);
    expect(await lane().archive(ONE, PATIENCE_MS)).toMatchObject({
      kind: "no",
      why: expect.stringContaining(why),
    });
  });

  test("keeps out a segment under another one's name", async () => {
    writeSegment(ONE);
    renameSync(walPath(ONE), walPath(TWO));
    expect(await lane().archive(TWO, PATIENCE_MS)).toMatchObject({
      why: "it holds WAL of another place",
    });
  });

  test("stores no half of a segment that its timeline's end lies in, under the name of a whole one", async () => {
    writeSegment(ONE);
    writeSegment(TWO);
    const end = `0/${(2 * SIZE + 0x100).toString(16).toUpperCase()}`;
    writeFileSync(walPath("00000002.history"), `1\t${end}\tno recovery target\n`);
    const near = shelf("near", true);
    const one = lane([near]);
    expect(await one.archive(ONE, PATIENCE_MS)).toEqual({ kind: "yes" });
    expect(await one.archive(TWO, PATIENCE_MS)).toEqual({ kind: "yes" });
    expect(await near.store.find(ONE, signal)).toBeDefined();
    expect(await near.store.find(TWO, signal)).toBeUndefined();
  });

  test("stores histories in the clear, and nothing for a number that is only reserved", async () => {
    writeFileSync(walPath("00000002.history"), "1\t0/9000100\tno recovery target\n");
    writeFileSync(walPath("00000003.history"), "");
    const near = shelf("near", true);
    const one = lane([near]);
    expect(await one.archive("00000002.history", PATIENCE_MS)).toEqual({ kind: "yes" });
    expect(await one.archive("00000003.history", PATIENCE_MS)).toEqual({ kind: "yes" });
    expect(await near.store.find("00000002.history", signal)).toBe("wal/00000002.history");
    expect(await near.store.find("00000003.history", signal)).toBeUndefined();
  });

  test("sends what PostgreSQL will ask for next", async () => {
    for (const name of [ONE, TWO]) {
      writeSegment(name);
      writeFileSync(join(here.root, "data/pg_wal/archive_status", `${name}.ready`), "");
    }
    const near = shelf("near", true);
    await lane([near]).archive(ONE, PATIENCE_MS);
    await expect.poll(() => near.store.find(TWO, signal), { timeout: PATIENCE_MS }).toBeDefined();
  });

  test("leaves a standby's file to its primary, and sends it when that does not come", async () => {
    writeFileSync(join(here.root, "data/standby.signal"), "");
    writeSegment(ONE);
    expect(await lane().archive(ONE, PATIENCE_MS)).toEqual({ kind: "yes" });
  });
});

describe("the script that PostgreSQL runs", () => {
  const ask = (name: string, path = process.env["PATH"] ?? "") =>
    new Promise<{ code: number; said: string }>((resolve) => {
      execFile(gateScript(here.root), [name], { env: { PATH: path } }, (error, _, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), said: stderr }),
      );
    });

  beforeEach(() => writeFileSync(gateScript(here.root), renderGate(here.root), { mode: 0o700 }));

  /** The programs of this machine without curl: then Perl asks. */
  function withoutCurl(): string {
    const bin = join(here.root, "bin");
    mkdirSync(bin);
    symlinkSync("/usr/bin/perl", join(bin, "perl"));
    return bin;
  }

  test.each(["curl", "perl"])("asks by %s, and takes nothing but yes for yes", async (program) => {
    const path = program === "perl" ? withoutCurl() : undefined;
    const door = await openDoor(vaultSocket(here.root), async (asked) => {
      if (asked === `archive/${ONE}`) return { status: 200, body: `yes ${ONE}` };
      return { status: 503, body: "no: near is full" };
    });
    expect(await ask(ONE, path)).toEqual({ code: 0, said: "" });
    expect(await ask(TWO, path)).toEqual({
      code: 1,
      said: `understudy keeps ${TWO}: no: near is full\n`,
    });
    await door.close();
  });

  test.each(["curl", "perl"])("says no by %s while nobody listens", async (program) => {
    const path = program === "perl" ? withoutCurl() : undefined;
    const { code, said } = await ask(ONE, path);
    expect(code).toBe(1);
    expect(said).toContain(`understudy keeps ${ONE}: `);
  });
});
