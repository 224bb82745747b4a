import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { killAll, processes, processOf, signalProcess } from "./processes.ts";

async function sleeper() {
  const child = spawn("sleep", ["60"], { stdio: "ignore" });
  await once(child, "spawn");
  return { child, gone: once(child, "exit") };
}

describe("processes", () => {
  it("are read with their identity", () => {
    const me = processOf(process.pid);
    expect(me?.cwd).toBe(process.cwd());
    expect(me?.startTime).toMatch(/^\d+$/);
    expect(processes().some(({ pid }) => pid === process.pid)).toBe(true);
  });

  it("get no signal when the pid belongs to another one by now", async () => {
    const { child, gone } = await sleeper();
    const seen = processOf(child.pid ?? 0);
    expect(seen).toBeDefined();
    if (seen === undefined) return;
    expect(signalProcess({ ...seen, startTime: "1" }, "SIGKILL")).toBe(false);
    expect(signalProcess(seen, "SIGKILL")).toBe(true);
    await gone;
  });

  it("are ended until none is left, and a dead one is nobody to wait for", async () => {
    const { child, gone } = await sleeper();
    const find = () => processes().filter(({ pid }) => pid === child.pid);
    expect(await killAll(find, 5_000)).toEqual([]);
    await gone;
    expect(processOf(child.pid ?? 0)).toBeUndefined();
  });
});
