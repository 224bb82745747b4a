import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dropLock, readLockHolder, takeLock } from "./lock.ts";
import { LINE_LIMIT, lineReader, withSocketPath } from "./protocol.ts";
import { Watchdog } from "./watchdog.ts";

const at = { folder: "" };
beforeEach(() => {
  at.folder = mkdtempSync(join(tmpdir(), "us-watchdog-"));
});
afterEach(() => rmSync(at.folder, { recursive: true, force: true }));

describe("watchdog", () => {
  it("is fed, and let go with the magic letter", () => {
    const device = join(at.folder, "watchdog");
    writeFileSync(device, "");
    const watchdog = new Watchdog({ device, timeoutMs: 5000 }, () => undefined);
    expect(watchdog.state).toBe("off");
    watchdog.feed();
    watchdog.feed();
    expect(watchdog.state).toBe("armed");
    watchdog.release();
    watchdog.release();
    expect(watchdog.state).toBe("off");
    expect(readFileSync(device, "latin1")).toBe("\0\0V");
  });

  it("tells a pipe for tests in Patroni's words what a device would be told", () => {
    const device = join(at.folder, "pipe");
    writeFileSync(device, "");
    const options = { device, timeoutMs: 5000, isForTests: true };
    const watchdog = new Watchdog(options, () => undefined);
    watchdog.feed();
    watchdog.feed();
    watchdog.release();
    expect(readFileSync(device, "latin1")).toBe("Ctimeout=5\n11V");
  });

  it("says that it is absent or cannot be fed, once", () => {
    const said: string[] = [];
    const absent = new Watchdog(
      { device: join(at.folder, "none"), timeoutMs: 5000 },
      () => undefined,
    );
    expect(absent.state).toBe("absent");
    absent.feed();
    expect(absent.state).toBe("absent");
    const broken = new Watchdog({ device: at.folder, timeoutMs: 5000 }, (text) => said.push(text));
    broken.feed();
    broken.feed();
    expect(broken.state).toBe("failed");
    expect(said).toHaveLength(1);
  });

  it("tells before it is fed whether it could be, and sees a device that comes later", () => {
    const device = join(at.folder, "later");
    const said: string[] = [];
    const watchdog = new Watchdog({ device, timeoutMs: 5000 }, (text) => said.push(text));
    expect([watchdog.state, said.length]).toEqual(["absent", 1]);
    writeFileSync(device, "");
    expect(watchdog.state).toBe("off");
    expect(readFileSync(device, "latin1")).toBe("");
  });

  it("is off and silent when nobody asked for it", () => {
    const off = new Watchdog(undefined, () => undefined);
    off.feed();
    off.release();
    expect(off.state).toBe("off");
  });
});

describe("lock", () => {
  it("is taken from a dead holder, and from nobody else", async () => {
    symlinkSync(`${process.pid}:1`, join(at.folder, "fence.lock"));
    expect(readLockHolder(at.folder)).toBeUndefined();
    expect(await takeLock(at.folder)).toBe(true);
    expect(readLockHolder(at.folder)?.pid).toBe(process.pid);
    expect(await takeLock(at.folder)).toBe(false);
    dropLock(at.folder);
    expect(readLockHolder(at.folder)).toBeUndefined();
  });
});

describe("protocol", () => {
  it("cuts lines wherever the chunks end, and refuses endless ones", () => {
    const lines: string[] = [];
    const read = lineReader((line) => lines.push(line));
    expect(read(Buffer.from('{"a":'))).toBe(true);
    expect(read(Buffer.from('1}\n\n{"b"'))).toBe(true);
    expect(lines).toEqual(['{"a":1}']);
    expect(read(Buffer.alloc(LINE_LIMIT + 1, "x"))).toBe(false);
  });

  it("finds a short name for the socket of a long directory", async () => {
    expect(await withSocketPath("/short", (path) => Promise.resolve(path))).toBe(
      "/short/fence.sock",
    );
    const long = mkdtempSync(join(at.folder, "x".repeat(120)));
    expect(await withSocketPath(long, (path) => Promise.resolve(path.length))).toBeLessThan(107);
  });
});
