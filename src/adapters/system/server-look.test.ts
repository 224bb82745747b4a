// A /proc of our own making shows what a real kernel shows only in bad moments.
import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isKillPending, parseStat } from "./process-list.ts";
import { isStopped, lookAtServer } from "./server-look.ts";
import { parsePostmasterFile } from "./shared-memory.ts";

interface Actor {
  readonly ppid?: number;
  readonly state?: string;
  readonly exe?: string;
  readonly cwd?: string;
  readonly pending?: string;
}

const SHM_HEADER =
  "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid";

const at = { root: "", dataDir: "", procRoot: "" };
beforeEach(() => {
  at.root = realpathSync(mkdtempSync(join(tmpdir(), "us-look-")));
  at.dataDir = join(at.root, "data");
  at.procRoot = join(at.root, "proc");
  mkdirSync(at.dataDir);
  mkdirSync(join(at.procRoot, "sysvipc"), { recursive: true });
  shm([]);
});
afterEach(() => rmSync(at.root, { recursive: true, force: true }));

function actor(pid: number, { ppid = 1, state = "S", exe, cwd, pending = "0" }: Actor = {}): void {
  const here = join(at.procRoot, String(pid));
  mkdirSync(here);
  const zeros = "0 ".repeat(17);
  writeFileSync(
    join(here, "stat"),
    `${pid} (postgres: a) b) ${state} ${ppid} ${zeros}${pid}00 0\n`,
  );
  writeFileSync(join(here, "status"), `Name:\tx\nSigPnd:\t0000\nShdPnd:\t${pending}\n`);
  symlinkSync(exe ?? "/usr/lib/postgresql/15/bin/postgres", join(here, "exe"));
  symlinkSync(cwd ?? at.dataDir, join(here, "cwd"));
}

function shm(rows: readonly (readonly [key: number, id: number, attached: number])[]): void {
  const lines = rows.map(
    ([key, id, attached]) => `${key} ${id} 600 56 1 2 ${attached} 101 104 101 104`,
  );
  writeFileSync(join(at.procRoot, "sysvipc/shm"), [SHM_HEADER, ...lines, ""].join("\n"));
}

const postmasterFile = (pid: number, key = 77, id = 5): void =>
  writeFileSync(
    join(at.dataDir, "postmaster.pid"),
    `${pid}\n${at.dataDir}\n1\n5432\n/tmp\n*\n ${key}  ${id}\nready\n`,
  );
const look = (childPid?: number) =>
  lookAtServer({ dataDir: at.dataDir, procRoot: at.procRoot, childPid });

describe("look at a server", () => {
  it("finds postmaster and backends by directory, and nobody else", () => {
    postmasterFile(100);
    shm([
      [77, 4, 9],
      [77, 5, 3],
    ]);
    actor(101, { ppid: 100 });
    actor(100);
    actor(102, { ppid: 100 });
    actor(200, { cwd: at.root });
    actor(201, { exe: "/bin/bash" });
    const seen = look();
    expect(seen.processes.map(({ pid }) => pid)).toEqual([100, 101, 102]);
    expect(seen).toMatchObject({ postmaster: { pid: 100 }, attached: 3, isDown: false });
  });

  it("counts zombies as dead and a process in uninterruptible sleep as living", () => {
    postmasterFile(100);
    actor(100, { state: "Z" });
    expect(look().isDown).toBe(true);
    actor(101, { state: "D", pending: "0000000000000100" });
    expect(look()).toMatchObject({ postmaster: undefined, isDown: false });
    expect(isKillPending(101, at.procRoot)).toBe(true);
    actor(102, { state: "D" });
    expect(isKillPending(102, at.procRoot)).toBe(false);
  });

  it("takes no orphan for the postmaster, and no stranger with its number", () => {
    postmasterFile(100);
    actor(100, { exe: "/bin/bash" });
    actor(101);
    expect(look()).toMatchObject({ postmaster: undefined, processes: [{ pid: 101 }] });
  });

  it("is not down while anything is attached", () => {
    postmasterFile(100);
    shm([[77, 5, 1]]);
    expect(look()).toMatchObject({ processes: [], attached: 1, isDown: false });
    shm([[78, 5, 1]]);
    expect(look().isDown).toBe(true);
  });

  it("knows our own child before it is a server, and the parent before there is a file", () => {
    actor(100, { exe: "/bin/dash", cwd: at.root });
    expect(look(100).postmaster?.pid).toBe(100);
    rmSync(join(at.procRoot, "100"), { recursive: true });
    actor(101, { ppid: 100 });
    actor(100, { state: "T" });
    const { postmaster } = look();
    expect(postmaster?.pid).toBe(100);
    expect(postmaster && isStopped(postmaster)).toBe(true);
  });

  it("follows a directory that was renamed or removed under the server", () => {
    const moved = join(at.root, "moved");
    actor(100, { cwd: moved });
    renameSync(at.dataDir, moved);
    symlinkSync(moved, at.dataDir);
    expect(look().processes).toHaveLength(1);
    rmSync(at.dataDir);
    actor(101, { cwd: `${at.dataDir} (deleted)` });
    expect(look().processes.map(({ pid }) => pid)).toEqual([101]);
  });

  it("reads what the kernel and the server write", () => {
    expect(parseStat("12 (a b) c)) R 4 0")).toBeUndefined();
    expect(parsePostmasterFile("")).toBeUndefined();
    expect(parsePostmasterFile("-42\n/d\n")).toEqual({ pid: 42, segment: undefined });
    expect(parsePostmasterFile("42\n/d\n1\n5432\n\n\n  -5  7\n")).toEqual({
      pid: 42,
      segment: { key: -5, id: 7 },
    });
  });
});
