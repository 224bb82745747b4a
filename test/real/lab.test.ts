// The lab itself, as programs use it: up, status, a second one beside it, load, down.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { belongings } from "../../src/lab/belongings.ts";
import { signalProcess } from "../../src/lab/processes.ts";
import type { LabRecord } from "../../src/lab/record.ts";

const isRoot = process.getuid?.() === 0;
const execute = promisify(execFile);
const cli = join(import.meta.dirname, "..", "..", "dist", "cli.mjs");
const LIMIT_MS = 110_000;

interface Answer {
  readonly code: number;
  readonly out: string;
  readonly talk: string;
}

describe("understudy lab", () => {
  let place = "";
  beforeAll(() => {
    place = mkdtempSync(join(tmpdir(), "us-lab-"));
    // The servers' user must be able to enter it.
    chmodSync(place, 0o755);
  });
  afterAll(async () => {
    await lab("down", "--name", "one");
    await lab("down", "--name", "two");
    rmSync(place, { recursive: true, force: true });
  });

  async function lab(...args: readonly string[]): Promise<Answer> {
    try {
      const { stdout, stderr } = await execute(process.execPath, [cli, "lab", ...args], {
        timeout: LIMIT_MS,
        env: { ...process.env, XDG_RUNTIME_DIR: place },
      });
      return { code: 0, out: stdout, talk: stderr };
    } catch (error) {
      const failed = error as { code?: number; stdout?: string; stderr?: string };
      return { code: failed.code ?? 1, out: failed.stdout ?? "", talk: failed.stderr ?? "" };
    }
  }
  const dirOf = (name: string): string => join(place, "a".repeat(90), name);
  const recordOf = async (name: string): Promise<LabRecord> =>
    (JSON.parse((await lab("status", "--json", "--name", name)).out) as { lab: LabRecord }).lab;
  const smallLab = (name: string, ...more: readonly string[]) =>
    lab(
      ...["up", "--json", "--name", name, "--nodes", "1", "--etcd", "1"],
      "--dir",
      dirOf(name),
      ...more,
    );

  it("starts a small one in a directory too long for sockets, and says what runs", async () => {
    const { code, out } = await smallLab("one");
    expect(code).toBe(0);
    const { items } = JSON.parse(out) as { items: { role: string; pid: number; node: string }[] };
    const roles = items.map(({ node, role }) => `${node} ${role}`).toSorted();
    expect(roles).toEqual([
      ...["e1 etcd", "n1 agent", "n1 fence", "n1 primary"],
      ...["r1 agent", "r1 haproxy", "r1 pgbouncer"],
    ]);
    expect(items.every(({ pid }) => pid > 0)).toBe(true);
  });

  it("reports the running one when started again", async () => {
    const again = await lab("up", "--name", "one");
    expect(again.code).toBe(0);
    expect(again.out).toContain("runs already");
  });

  it("starts a second one beside it, at other addresses", async () => {
    expect((await smallLab("two", "--routers", "0")).code).toBe(0);
    const [one, two] = [await recordOf("one"), await recordOf("two")];
    expect(one.members[0]?.address).not.toBe(two.members[0]?.address);
    const unclear = await lab("status");
    expect(unclear.code).toBe(10);
    expect(unclear.talk).toContain("one, two");
  });

  it("lets clients in through the pooler and the balancer", async () => {
    for (const door of ["app", "write"]) {
      const string = (await lab("dsn", door, "--name", "one")).out.trim();
      const { stdout } = await execute("psql", [string, "-Atc", "SHOW transaction_read_only"]);
      expect(stdout.trim(), door).toBe("off");
    }
  });

  it("writes under load on every path and finds every promised row", async () => {
    const flags = ["--path", "all", "--seconds", "2", "--json", "--name", "one"];
    const { code, out } = await lab("load", ...flags);
    expect(code).toBe(0);
    const { items } = JSON.parse(out) as {
      items: { path: string; acknowledged: number; lost: unknown[] }[];
    };
    expect(items.map(({ path }) => path)).toEqual(["direct", "pooled", "balanced"]);
    for (const { acknowledged, lost } of items) {
      expect(acknowledged).toBeGreaterThan(0);
      expect(lost).toEqual([]);
    }
  });

  it("refuses a directory that the servers' user may not enter", async () => {
    const closed = join(place, "closed");
    mkdirSync(closed, { mode: 0o700 });
    const { code, talk } = await lab("up", "--name", "three", "--dir", join(closed, "three"));
    expect(code === 0).toBe(!isRoot);
    expect(talk.includes("may not enter")).toBe(isRoot);
    await lab("down", "--name", "three");
  });

  it("refuses an unknown node and an impossible wish, and nothing happens", async () => {
    expect((await lab("chaos", "kill-node", "n9", "--name", "one")).code).toBe(10);
    expect((await lab("chaos", "cut", "n1", "--quiet", "--name", "one")).code).toBe(6);
    const even = await lab("up", "--name", "three", "--etcd", "2");
    expect([even.code, even.talk.trim().split("\n")]).toEqual([
      2,
      [
        "plan the lab three",
        "no lab can be made so: --etcd is 1, 3, 5 or 7: a majority must exist",
        expect.stringMatching(/^change the option that is named; see understudy lab up --help/),
      ],
    ]);
    expect((await lab("chaos", "mend-disk", "n1", "--quiet", "--name", "one")).code).toBe(6);
    const nowhere = await lab("dsn", "nosuch", "--name", "one");
    expect([nowhere.code, nowhere.talk]).toEqual([10, expect.stringMatching(/there are n1,/)]);
    expect((await lab("up", "--name", "three", "--report", "n9")).talk).toContain("--report");
    const follow = ["up", "--name", "three", "--follow", "two", "--routers", "1"];
    expect((await lab(...follow)).talk).toContain("--follow");
    expect((await lab("soak", "--minutes", "1", "--name", "three", "--only", "tea")).code).toBe(2);
    expect((await lab("bench", "--only", "tea")).code).toBe(2);
    expect((await lab("status", "--name", "three")).code).toBe(10);
    expect((await lab("load", "--path", "pooled", "--name", "two")).talk).toContain("--routers");
    expect((await lab("status", "--name", "one")).code).toBe(0);
  });

  it("is removed also when parts of it are dead already, and a second time", async () => {
    const one = await recordOf("one");
    const agent = belongings(one).find(({ role }) => role === "agent");
    if (agent !== undefined) signalProcess(agent.process, "SIGKILL");
    expect((await lab("down", "--name", "one")).code).toBe(0);
    expect(belongings(one)).toEqual([]);
    expect(existsSync(one.dir)).toBe(false);
    expect((await lab("down", "--name", "one")).code).toBe(0);
    expect(belongings(await recordOf("two"))).not.toEqual([]);
  });

  it("is taken down again when its start is interrupted", async () => {
    const args = ["up", "--name", "cut", "--nodes", "1", "--etcd", "1", "--routers", "0"];
    const child = spawn(
      process.execPath,
      [cli.replace(/cli\.mjs$/, "lab.mjs"), ...args, "--dir", join(place, "cut")],
      { env: { ...process.env, XDG_RUNTIME_DIR: place }, stdio: ["ignore", "pipe", "pipe"] },
    );
    let talk = "";
    child.stderr.on("data", (text) => (talk += String(text)));
    child.stdout.once("data", () => child.kill("SIGINT"));
    const [code] = (await once(child, "exit")) as [number | null];
    expect([code, talk]).toEqual([130, expect.stringContaining("SIGINT: this step is the last")]);
    expect((await lab("status", "--name", "cut")).code).toBe(10);
  });

  it("cleans up a start that fails, and says which log to read", async () => {
    const failed = await lab(
      ...["up", "--name", "bad", "--nodes", "1", "--etcd", "1", "--dir", join(place, "bad")],
      ...["--set", "shared_buffers=nonsense", "--wait", "5"],
    );
    expect(failed.code).not.toBe(0);
    expect(failed.talk).toContain("agent.log");
    expect((await lab("status", "--name", "bad")).code).toBe(10);
  });
});
