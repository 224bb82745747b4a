// Backups as a person sees them: the command line, the agent that has its worker do it, and what bad wishes get.
import { spawnSync } from "node:child_process";
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { actAs } from "../../src/adapters/system/os-user.ts";
import type { BackupList } from "../../src/model/backup-words.ts";
import type { ThreeTwoOne } from "../../src/model/three-two-one.ts";
import type { ScheduleJson } from "../../src/model/wire/schedule.ts";
import { AgentStage, type TestAgent, until } from "../support/agent.ts";

let stage: AgentStage;
let node: TestAgent;
let directory: string;

beforeAll(async () => {
  stage = await AgentStage.open();
  await stage.etcd();
  directory = join(stage.root, "repo");
  mkdirSync(directory);
  // The worker runs as the server's user.
  const serverUser = actAs("postgres");
  if (serverUser !== undefined) chownSync(directory, serverUser.uid, serverUser.gid);
  node = await stage.node("n1", {
    backup: { repositories: { near: { directory } }, retention: { base: { count: 1 } } },
  });
  await node.startAndLead();
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

const understudy = (...args: readonly string[]) => stage.cli("-c", node.file, ...args);

/** As the user whom the repository belongs to, who may read the node's file as well. */
function asServerUser(...args: readonly string[]) {
  const user = actAs("postgres");
  if (user !== undefined) chownSync(node.file, user.uid, user.gid);
  return spawnSync(process.execPath, [join(stage.bin, "cli.mjs"), "-c", node.file, ...args], {
    encoding: "utf8",
    ...(user && { uid: user.uid, gid: user.gid }),
  });
}

async function listed(): Promise<BackupList> {
  const { out } = await understudy("backup", "list", "--json");
  return JSON.parse(out) as BackupList;
}

test("a backup is run, listed, shown and verified", async () => {
  const none = await understudy("backup", "list");
  expect(none).toMatchObject({ exit: 0 });
  expect(none.out).toContain("holds no backup");
  const run = await understudy("backup", "run", "--label", "by hand");
  expect([run.exit, run.err]).toMatchObject([0, expect.anything()]);
  expect(run.out).toMatch(/from the primary n1 in .* in the repository near/);
  const { items } = await listed();
  expect(items).toMatchObject([{ label: "by hand", takenFrom: "primary", takenOn: "n1" }]);
  const id = items[0]?.id ?? "";
  expect((await understudy("backup", "show", id)).out).toContain("compared while it was taken");
  const verified = await understudy("backup", "verify");
  expect([verified.exit, verified.out]).toEqual([0, expect.stringContaining("every byte")]);
  expect((await understudy("backup", "jobs")).out).toContain("backup-verify");
});

test("3-2-1 counts what it read, and says of each digit what is missing", async () => {
  const told = await understudy("backup", "3-2-1");
  expect([told.exit, told.err]).toMatchObject([3, expect.anything()]);
  expect(told.out).toContain("3-2-1 does not hold");
  expect(told.out).toContain("only 2: live data, near");
  expect(told.out).toContain("off_site: true");
  const { out } = await understudy("backup", "3-2-1", "--json");
  const verdict = JSON.parse(out) as ThreeTwoOne;
  expect(verdict).toMatchObject({ verdict: "fail", unproven: [] });
  expect(verdict.copies).toMatchObject([
    { name: "live data", counts: "yes" },
    { name: "near", counts: "yes", isProven: true },
  ]);
});

test("a damaged backup is found, said, and not restored", async () => {
  const { items } = await listed();
  const id = items[0]?.id ?? "";
  const [cluster = ""] = readdirSync(directory).map((scope) => join(directory, scope));
  const file = join(cluster, readdirSync(cluster)[0] ?? "", "base", id, "base.tar.zst");
  const bytes = readFileSync(file);
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 4;
  writeFileSync(file, bytes);
  const verified = await understudy("backup", "verify", id);
  expect([verified.exit, verified.err]).toEqual([4, expect.stringContaining("is damaged")]);
  expect((await understudy("backup", "list")).out).toContain("DAMAGED");
  const copies = await understudy("backup", "3-2-1");
  expect([copies.exit, copies.out]).toEqual([3, expect.stringContaining("is damaged")]);
  const target = join(node.dir, "restored");
  const restored = asServerUser("restore", "--target-dir", target, "--backup", id, "--yes");
  expect([restored.status, restored.stderr]).toEqual([4, expect.stringContaining("damaged")]);
  expect(readdirSync(node.dir)).not.toContain("restored");
});

test("what is kept no longer is shown, and goes when a person agrees", async () => {
  const before = (await listed()).items.map(({ id }) => id);
  await understudy("backup", "run", "--label", "newer");
  const unproven = await understudy("backup", "expire", "--dry-run");
  expect([unproven.exit, unproven.out]).toEqual([0, expect.stringContaining("none has been ver")]);
  await understudy("backup", "run", "--label", "newest");
  await understudy("backup", "verify");
  const shown = await understudy("backup", "expire", "--dry-run");
  expect([shown.exit, shown.err]).toEqual([0, expect.anything()]);
  expect(shown.out).toContain("2 backups and WAL would go");
  expect(shown.out).toContain("it is one of the newest 1");
  const unasked = await understudy("backup", "expire");
  expect([unasked.exit, unasked.err]).toEqual([7, expect.stringContaining("say --yes to agree")]);
  expect((await listed()).items).toHaveLength(before.length + 2);
  const done = await understudy("backup", "expire", "--yes");
  expect([done.exit, done.out]).toEqual([
    0,
    expect.stringContaining("2 backups and 0 files of WAL"),
  ]);
  const { items } = await listed();
  expect(items.map(({ label }) => label)).toEqual(["newest"]);
  const again = await understudy("backup", "expire", "--json");
  expect(JSON.parse(again.out)).toMatchObject({ kind: "Expiry", items: [{ bytes: 0 }] });
  const gone = await understudy("backup", "verify", before[0] ?? "");
  expect([gone.exit, gone.err]).toEqual([10, expect.stringContaining("it holds none named")]);
});

test("a backup whose worker was killed holds no WAL back once its member has seen that", async () => {
  const running = understudy("backup", "run", "--max-rate", "32");
  const notes = join(node.stateDir, "server", "begun");
  const begun = (): { readonly id: string; readonly pid: number } | undefined => {
    const [name] = existsSync(notes) ? readdirSync(notes) : [];
    try {
      return JSON.parse(readFileSync(join(notes, name ?? ""), "utf8"));
    } catch {
      return undefined;
    }
  };
  const isBegun = async () => {
    const id = begun()?.id;
    const { out } = await understudy("backup", "list", "--json");
    return id !== undefined && (JSON.parse(out) as BackupList).unfinished.includes(id);
  };
  await until("it is in the repository", isBegun);
  const { id, pid } = begun() ?? { id: "", pid: 0 };
  process.kill(pid, "SIGKILL");
  expect((await running).exit).not.toBe(0);
  await until("it is given up", () => readdirSync(notes).length === 0);
  const done = await understudy("backup", "expire", "--yes");
  expect([done.exit, done.out]).toEqual([0, expect.stringContaining(id)]);
  expect(done.out).not.toContain("all of it stays");
  const { items, unfinished, expiring } = await listed();
  expect([items.length, unfinished, expiring]).toEqual([1, [], []]);
});

test("a schedule is obeyed as soon as the file is read again, and says how it went", async () => {
  const none = await understudy("backup", "schedule");
  expect([none.exit, none.out]).toEqual([0, expect.stringContaining("nothing runs by itself")]);
  const schedules = { verify: { every: "24h" }, expire: { at: "02:30" } };
  node.change({ backup: { schedules } });
  await understudy("reload", "n1");
  const read = async () => {
    const { out } = await understudy("backup", "schedule", "--json");
    return JSON.parse(out) as ScheduleJson;
  };
  let seen = await read();
  await until("both jobs have run once", async () => {
    seen = await read();
    return seen.items.length === 2 && seen.items.every(({ doneMs }) => doneMs !== undefined);
  });
  const last = { attempt: 1, by: "n1", outcome: "done" };
  expect(seen.items).toMatchObject([
    { job: "verify", when: "every 24h", last },
    { job: "expire", when: "at 02:30 UTC", last },
  ]);
  const shown = await understudy("backup", "schedule");
  expect([shown.exit, shown.out]).toEqual([0, expect.stringContaining("nothing of the schedule")]);
  expect((await understudy("backup", "jobs")).out).toContain("backup-expire");
});

test("a wish that cannot be is refused in a line what, why, and what next", async () => {
  const cases: readonly (readonly [args: readonly string[], exit: number, words: string])[] = [
    [["backup", "run", "--max-rate", "fast"], 2, "--max-rate is fast"],
    [["backup", "3-2-1", "--max-age", "soon"], 2, "--max-age soon is not an age"],
    [["backup", "show", "20200101T000000Z-00000000"], 10, "holds no backup"],
    [["backup", "expire", "--repo", "far"], 6, "there is no repository far"],
    [["backup", "list", "--repo", "far"], 6, "there is no repository far"],
    [["restore", "--target-dir", "/x", "--to", "yesterday"], 2, "--to is yesterday"],
    [["restore", "--target-dir", "/x", "--to", "backup", "--to-lsn", "0/1"], 2, "2 targets"],
    [["restore", "--target-dir", "/x", "--action", "dance"], 2, "--action is dance"],
  ];
  for (const [args, exit, words] of cases) {
    const ended = await understudy(...args);
    expect([args, ended.exit, ended.err]).toEqual([args, exit, expect.stringContaining(words)]);
  }
});
