// Does the command line read a member over a real socket, and does it end with the right number?
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type Api, createApi } from "../../src/agent/api/api.ts";
import { failureOf } from "../../src/cli/exit.ts";
import { buildProgram } from "../../src/cli/program.ts";
import {
  cluster,
  contextOf,
  type FakeNode,
  fakeNode,
  member,
  primary,
  primaryView,
  settings,
  slotsFor,
  WALL_MS,
} from "../support/node-view.ts";

let dir = "";
let api: Api;
let node: FakeNode;
let file = "";

const yaml = (port: number, more = "") => `scope: demo
name: n1
etcd: {host: "127.0.0.1:1"}
restapi: {listen: "127.0.0.1:${port}"${more}}
postgresql:
  connect_address: 127.0.0.1:5432
  data_dir: /var/lib/demo
  authentication: {replication: {password: secret}}
`;

/** All members of the tests live behind one address: what differs is what the store says of them. */
async function serve(change: Parameters<typeof cluster>[0] = {}): Promise<void> {
  const view = primaryView();
  node = fakeNode(view);
  const of = settings("restapi: {authentication: {username: u, password: p}}");
  const rest = { ...of.rest, listen: { host: "127.0.0.1", port: 0 } };
  api = createApi(contextOf(node, { ...of, rest }));
  const { port } = await api.listen();
  const apiUrl = `http://127.0.0.1:${port}`;
  const seen = cluster({
    members: [primary("n1", { apiUrl }), member("n2", { apiUrl }), member("n3", { apiUrl })],
    ...change,
  });
  node.seen = { ...view, cluster: { seen, at: view.loop.lastTickAt ?? (0 as never) } };
  node.snapshots = [seen];
  file = join(dir, "n1.yml");
  writeFileSync(file, yaml(port, ", authentication: {username: u, password: p}"));
}

/** Runs one command in this process, as the terminal would see it. */
async function run(...args: readonly string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const catching = (into: string[]) => (chunk: unknown) => into.push(String(chunk)) > 0;
  vi.spyOn(process.stdout, "write").mockImplementation(catching(out));
  vi.spyOn(process.stderr, "write").mockImplementation(catching(err));
  process.exitCode = undefined;
  let exit = 0;
  let failed: readonly string[] = [];
  try {
    await buildProgram().parseAsync(["node", "understudy", "-c", file, ...args]);
    exit = (process.exitCode as number | undefined) ?? 0;
  } catch (error) {
    const failure = failureOf(error);
    exit = failure.exit;
    failed = failure.lines;
  } finally {
    process.exitCode = undefined;
    vi.restoreAllMocks();
  }
  return { exit, out: out.join(""), err: err.join(""), failed };
}

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "understudy-cli-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));
beforeEach(() => serve());
afterEach(() => api.close(0));

describe("status", () => {
  it("is one screen with a sentence first and no empty cell", async () => {
    const { exit, out, err } = await run("status");
    expect(exit).toBe(0);
    const lines = out.trimEnd().split("\n");
    expect(lines[0]).toContain("healthy: n1 is the primary; 2 standbys can take over");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines.length).toBeLessThanOrEqual(24);
    expect(lines.find((line) => line.startsWith("n1"))).toMatch(/primary +running +1 +n\/a/);
    expect(lines.find((line) => line.startsWith("n2"))).toMatch(/standby +streaming +1 +0 B/);
    expect(err).toContain(`cluster demo, from ${file}`);
  });

  it("is JSON for programs", async () => {
    const { out, err } = await run("status", "--json");
    expect(JSON.parse(out)).toMatchObject({
      kind: "Status",
      health: "healthy",
      items: [{ name: "n1", agent: { answers: true } }, {}, {}],
    });
    expect(err).toBe("");
  });

  it("ends with 3 when a member does not answer", async () => {
    const gone = member("n3", { apiUrl: "http://127.0.0.1:1" });
    await api.close(0);
    await serve();
    const seen = node.seen.cluster!.seen;
    const members = [...seen.members.slice(0, 2), gone];
    node.seen = { ...node.seen, cluster: { seen: { ...seen, members }, at: 0 as never } };
    const { exit, out } = await run("status");
    expect(exit).toBe(3);
    expect(out).toContain("! n3: its agent does not answer");
    expect(out).toMatch(/n3 +~standby +~streaming +~1 +~0 B +\? +silent/);
  });

  it("ends with 4 when nobody leads", async () => {
    await api.close(0);
    await serve({ leader: undefined });
    const { exit, out } = await run("status");
    expect([exit, out.includes("critical: nobody leads")]).toEqual([4, true]);
  });

  it("ends with 5 and three lines when nobody answers", async () => {
    await api.close(0);
    const { exit, failed } = await run("status");
    expect(exit).toBe(5);
    expect(failed[0]).toBe("no member of demo answers");
    expect(failed).toHaveLength(3);
  });
});

describe("report", () => {
  it("puts what every node answers into one file, without the secrets of the node's file", async () => {
    const archive = join(dir, "report.tar.gz");
    const { exit, out } = await run("report", "--out", archive);
    expect([exit, out]).toMatchObject([0, /report\.tar\.gz has what is known of demo; secrets/]);
    const tar = (how: string) => execFileSync("tar", [how, archive], { encoding: "utf8" });
    for (const name of ["n1/status.json", "n2/cluster.json", "n3/metrics.txt", "missing.txt"]) {
      expect(tar("-tzf")).toContain(name);
    }
    const all = tar("-xzOf");
    expect(all).toContain("replication: {password: ******}");
    expect(all).toContain("understudy_writable");
    expect(all).not.toContain("secret");
  });

  it("is made although nobody answers, says what is missing, and is refused where it cannot be", async () => {
    await api.close(0);
    const archive = join(dir, "lonely.tar.gz");
    const { exit, err } = await run("report", "--out", archive);
    expect([exit, err]).toMatchObject([0, /missing: no member of demo answers/]);
    const refused = await run("report", "--out", join(dir, "no", "such", "folder.tar.gz"));
    expect(refused.exit).toBe(6);
    expect(refused.failed).toContain("name another file with --out");
  });
});

describe("the other screens", () => {
  it("draw who copies from whom", async () => {
    const { out } = await run("topology");
    expect(out).toContain("├─ n2  standby  streaming  0 B behind");
  });

  it("say that no timeline ended, and show logs", async () => {
    expect((await run("history")).out).toContain("no timeline has ended yet");
    expect((await run("logs", "n1", "-n", "3")).out).toBe("agent 3\n");
    expect((await run("logs", "n1", "-n", "many")).exit).toBe(2);
    expect((await run("logs", "n1", "-f", "--json")).exit).toBe(2);
    expect((await run("status", "--watch", "never")).exit).toBe(2);
    expect((await run("config", "show")).out).toBe("ttl: 10\nloop_wait: 2\n");
  });
});

describe("slots", () => {
  beforeEach(() => {
    node.seen = { ...node.seen, slots: slotsFor({ n2: "member", debezium: "unknown" }) };
  });

  it("are one table with a warning for what nobody reads", async () => {
    const { exit, out } = await run("slots");
    expect(exit).toBe(0);
    expect(out).toMatch(/^n1 +n2 +member +read +500 B +n\/a +n\/a +reserved$/m);
    expect(out).toMatch(/^n1 +debezium +unknown +idle 10m 0s/m);
    expect(out).toContain("! n1: slot debezium has had no reader for 10m 0s");
    expect(JSON.parse((await run("slots", "--json")).out)).toMatchObject({ kind: "Slots" });
  });

  it("are dropped by name, with a yes", async () => {
    expect((await run("slots", "drop", "debezium")).exit).toBe(7);
    expect(node.requests).toEqual([]);
    const { exit, out } = await run("slots", "drop", "debezium", "--yes");
    expect([exit, out.trim()]).toEqual([0, "n1: slot debezium dropped"]);
    expect((await run("slots", "drop", "nothing", "--yes")).exit).toBe(10);
    expect((await run("slots", "drop", "n2", "--yes")).exit).toBe(6);
  });
});

describe("a switchover", () => {
  it("shows its plan and asks", async () => {
    const { exit, err } = await run("switchover", "--to", "n2");
    expect(exit).toBe(7);
    expect(err).toContain("n2: streaming, 0 B behind");
    expect(node.intents).toEqual([]);
  });

  it("goes through with --yes", async () => {
    const before = node.snapshots[0]!;
    const after = cluster({
      leader: { name: "n2", term: 2, leaseId: "2" },
      members: [member("n1"), primary("n2")],
    });
    node.snapshots = [before, after];
    node.askMember = async () => ({ kind: "known", value: node.seen.peer, at: 0 as never });
    const { exit, out } = await run("switchover", "--to", "n2", "--yes");
    expect([exit, out]).toEqual([0, 'Successfully switched over to "n2"\n']);
  });

  it("knows its members", async () => {
    const { exit, failed } = await run("switchover", "--to", "n22", "--yes");
    expect(exit).toBe(10);
    expect(failed[0]).toBe("demo has no member n22, did you mean n2?");
    expect((await run("switchover", "--to", "n1", "--yes")).exit).toBe(6);
  });
});

describe("what may hurt", () => {
  it("wants the name", async () => {
    expect((await run("failover", "--to", "n2")).exit).toBe(7);
    expect((await run("reinit", "n2", "--confirm", "n3")).exit).toBe(7);
    expect((await run("restart", "n2")).exit).toBe(7);
    expect((await run("pause")).exit).toBe(7);
    expect(node.requests).toEqual([]);
  });

  it("is done when it was given", async () => {
    expect((await run("restart", "n2", "--yes")).out).toBe("n2: restarted successfully\n");
    expect((await run("reload", "n2", "n3")).out).toContain("n3: reload scheduled");
  });

  it("refuses flags that contradict each other, before anybody is asked", async () => {
    for (const words of [
      ["restart"],
      ["restart", "n2", "--rolling"],
      ["restart", "n2", "--switchover"],
      ["restart", "n2", "--since", "2026-11-30T04:00:00Z"],
      ["restart", "--rolling", "--at", "2026-11-30T04:00:00Z"],
      ["restart", "--rolling", "--role", "standby"],
    ]) {
      const { exit, failed } = await run(...words, "--yes");
      expect([exit, failed.length], words.join(" ")).toEqual([2, 3]);
    }
    expect(node.requests).toEqual([]);
  });

  it("refuses a site that members could not follow, in the plan and when the name was given", async () => {
    const valid = { host: "db9", port: "5432", slot: "here" };
    const demote = (change: Partial<typeof valid>, ...more: readonly string[]) => {
      const words = Object.entries({ ...valid, ...change }).map(
        ([flag, value]) => `--${flag}=${value}`,
      );
      return run("site", "demote", ...words, ...more);
    };
    expect((await demote({}, "--plan")).exit).toBe(0);
    for (const wrong of [
      { port: "abc" },
      { port: "99999" },
      { slot: "Not-One" },
      { host: "a b;" },
    ]) {
      for (const more of [["--plan"], ["--confirm", "demo"]]) {
        const { exit, failed } = await demote(wrong, ...more);
        expect([exit, failed.length], JSON.stringify(wrong)).toEqual([2, 3]);
      }
    }
    expect(node.configs).toEqual([]);
  });

  it("names what was refused", async () => {
    const { exit, failed } = await run("config", "patch", "ttl=1");
    expect(exit).toBe(2);
    expect(failed.join("\n")).toContain("ttl: 1 s cannot hold");
  });
});

describe("a pause", () => {
  it("has an owner, a reason and an end by the cluster's clock", async () => {
    const { out, err } = await run("pause", "--yes", "--reason", "new disks", "--for", "30m");
    expect(out).toBe("demo is paused until 2026-11-23T00:30:00.000+00:00\n");
    expect(err).not.toContain("no end");
    const written = JSON.parse(node.configs[0]!);
    expect(written).toEqual({
      ttl: 10,
      loop_wait: 2,
      pause: true,
      pause_note: {
        by: expect.stringMatching(/.+@.+/),
        reason: "new disks",
        since: "2026-11-23T00:00:00.000+00:00",
        until: "2026-11-23T00:30:00.000+00:00",
      },
    });
  });

  it("without an end says so", async () => {
    const { out, err } = await run("pause", "--yes");
    expect(out).toBe("demo is paused\n");
    expect(err).toContain("it has no end");
  });

  it.each(["0", "soon", "9000h"])("refuses --for %s, and nothing is written", async (time) => {
    const { exit, failed } = await run("pause", "--yes", "--for", time);
    expect([exit, failed.length]).toEqual([2, 3]);
    expect(node.configs).toEqual([]);
  });

  it("is shown with its age and what is left, and taken back", async () => {
    const pauseNote = {
      by: "olaf@db1",
      reason: "new disks",
      sinceMs: WALL_MS - 300_000,
      untilMs: WALL_MS + 1_500_000,
    };
    const config = { ...node.seen.config, paused: true, pauseNote };
    const seen = { ...node.seen.cluster!.seen, config: { value: config, modRevision: 7 } };
    node.seen = { ...node.seen, config, cluster: { seen, at: 0 as never } };
    node.snapshots = [
      { ...seen, config: { value: { ...config, raw: { ttl: 10, pause: true } }, modRevision: 7 } },
    ];
    const { exit, out } = await run("status");
    expect(exit).toBe(3);
    expect(out.replaceAll("\n", " ")).toContain(
      "the cluster is paused by olaf@db1 for 5m 0s, it ends by itself in 25m 0s: no failover (new disks)",
    );
    expect((await run("resume")).out).toBe("demo is no longer paused by olaf@db1 (new disks)\n");
    expect(node.configs).toEqual(['{"ttl":10}']);
  });
});

describe("the end of a pause", () => {
  const record = { member: "n9", term: 10, sinceMs: undefined, host: "n9", port: 5432, apiUrl: "" };
  const free = async (): Promise<void> => {
    const seen = { ...node.seen.cluster!.seen, unguarded: { value: record, modRevision: 70 } };
    node.seen = { ...node.seen, cluster: { seen, at: 0 as never } };
    node.snapshots = [seen];
  };

  it("says who is surely down, which is refused while its server answers", async () => {
    await free();
    const { exit, out } = await run("resume", "--confirm-down", "n9");
    expect([exit, out.split("\n")]).toEqual([
      0,
      ["demo was not paused", "n9 counts as down: another member may lead now", ""],
    ]);
    expect(node.cleared).toEqual([70]);
    node.isServerThere = true;
    const refused = await run("resume", "--confirm-down", "n9");
    expect([refused.exit, refused.failed.length]).toEqual([6, 3]);
    const before = node.configs.length;
    const other = await run("resume", "--confirm-down", "n2");
    expect([other.exit, other.failed.length]).toEqual([10, 3]);
    // A wrong name does not even end the pause.
    expect(node.configs.length).toBe(before);
    expect(node.cleared).toEqual([70]);
  });

  it("is waited for until nobody runs without a fence, as its beginning is until somebody does", async () => {
    expect((await run("resume", "--wait")).out).toContain("no server runs without its fence");
    await free();
    expect((await run("pause", "--yes", "--wait")).out).toContain("n9 runs without its fence");
  });
});

describe("what needs no cluster", () => {
  it("explains codes", async () => {
    expect((await run("explain", "following")).out).toContain("follows the leader");
    expect((await run("explain", "store_refused")).out).toContain("what next");
    const { exit, failed } = await run("explain", "folowing");
    expect([exit, failed[0]]).toEqual([10, "there is no code folowing, did you mean following?"]);
  });

  it("checks files", async () => {
    expect((await run("config", "check", file)).out).toContain("is fine");
    const odd = join(dir, "odd.yml");
    writeFileSync(odd, `${yaml(8008)}wathdog: {}\n`);
    expect((await run("config", "check", odd)).exit).toBe(0);
    const strict = await run("config", "check", odd, "--strict");
    expect(strict.exit).toBe(3);
    expect(strict.out).toContain(
      `${odd}:9:1: wathdog is not a known setting, did you mean watchdog?`,
    );
    writeFileSync(odd, "scope: [\n");
    expect((await run("config", "check", odd)).exit).toBe(2);
  });
});
