import { describe, expect, it } from "vitest";
import { actAs, findOsUser, isRoot, parsePasswd } from "./os-user.ts";
import { readProcess } from "./process-list.ts";
import { type RunOptions, run } from "./spawn.ts";

const LIMIT_MS = 30_000;
const sh = (script: string, more: Partial<RunOptions> = {}) =>
  run({ program: "/bin/sh", args: ["-c", script], timeoutMs: LIMIT_MS, ...more });

describe("run", () => {
  it("gives output, exit code and signal", async () => {
    const result = await sh("cat; echo bad >&2; exit 3", { input: "hello" });
    expect(result).toMatchObject({ code: 3, signal: undefined, stdout: "hello", stderr: "bad\n" });
    expect(await sh("kill -9 $$")).toMatchObject({ code: undefined, signal: "SIGKILL" });
  });

  it("hands down a clean environment", async () => {
    process.env["US_TEST_SECRET"] = "x";
    const { stdout } = await sh("env", { environment: { PGHOST: "here" } });
    delete process.env["US_TEST_SECRET"];
    expect(stdout).toContain("PGHOST=here");
    expect(stdout).not.toContain("US_TEST_SECRET");
  });

  it("keeps the end of much output", async () => {
    const result = await sh("seq 1 100000", { maxOutputBytes: 1000 });
    expect(result.isTruncated).toBe(true);
    expect(result.stdout.length).toBeLessThanOrEqual(1000);
    expect(result.stdout).toMatch(/100000\n$/);
  });

  it("says that a program is missing", async () => {
    const missing = run({ program: "/no/such/program", args: [], timeoutMs: LIMIT_MS });
    await expect(missing).rejects.toMatchObject({ code: "PG_NO_TOOL" });
  });

  it("ends the program and what it started at the limit and when aborted", async () => {
    const pids: number[] = [];
    const onStdout = (text: string): void => {
      pids.push(...text.trim().split(/\s+/).map(Number));
    };
    const script = "sleep 600 & echo $! $$; wait";
    await expect(sh(script, { timeoutMs: 300, onStdout })).rejects.toMatchObject({
      code: "TIMEOUT",
    });
    const controller = new AbortController();
    const running = sh(script, {
      signal: controller.signal,
      onStdout: (text) => {
        onStdout(text);
        controller.abort(new Error("enough"));
      },
    });
    await expect(running).rejects.toThrow("enough");
    expect(pids).toHaveLength(4);
    await expect.poll(() => pids.filter((pid) => readProcess(pid) !== undefined)).toEqual([]);
  });

  it("runs as another user when we may", async () => {
    const nobody = isRoot() ? findOsUser("nobody") : undefined;
    const { stdout } = await sh("id -u", { user: nobody });
    expect(stdout.trim()).toBe(String(nobody?.uid ?? process.geteuid?.()));
  });
});

describe("users of the system", () => {
  it("are found by name, and only a real other user is acted as", () => {
    expect(parsePasswd("a:x:1:2::/:/bin/sh\nb:x:3:4::/:/bin/sh\n", "b")).toEqual({
      name: "b",
      uid: 3,
      gid: 4,
    });
    expect(() => findOsUser("no-such-user-here")).toThrow("there is no such user");
    expect(actAs(undefined)).toBeUndefined();
    expect(actAs("root")).toBeUndefined();
  });
});
