// Drills as a person runs them: a backup is restored beside the cluster, its data is compared, and the proof can be believed.
import { execFileSync, spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { generateIdentity, identityToRecipient } from "age-encryption";
import { afterAll, beforeAll, expect, test } from "vitest";
import { actAs } from "../../src/adapters/system/os-user.ts";
import { lookAtServer } from "../../src/adapters/system/server-look.ts";
import type { DrillList, DrillProof } from "../../src/model/drill.ts";
import type { ThreeTwoOne } from "../../src/model/three-two-one.ts";
import type { Job } from "../../src/model/worker.ts";
import { AgentStage, type TestAgent, until } from "../support/agent.ts";
import { commandsIn } from "../support/markdown.ts";
import { S3Double } from "../support/s3-double.ts";

const COUNT = { sql: "SELECT count(*), sum(n) FROM orders", expect: "1500|1125750" };

let stage: AgentStage;
let node: TestAgent;
let directory: string;
let scratch: string;
const serverUser = actAs("postgres");

const understudy = (...args: readonly string[]) => stage.cli("-c", node.file, ...args);

/** What the node's file says from now on: each job reads it anew. */
const drill = (settings: object) => node.change({ backup: { drill: { ...settings } } });

function ownedFolder(name: string): string {
  const path = join(stage.root, name);
  mkdirSync(path, { mode: 0o700 });
  if (serverUser !== undefined) chownSync(path, serverUser.uid, serverUser.gid);
  return path;
}

/** Of the cluster, in the repository. */
function stored(...below: readonly string[]): string {
  const [scope = ""] = readdirSync(directory);
  const [system = ""] = readdirSync(join(directory, scope));
  return join(directory, scope, system, ...below);
}

function flipBit(file: string): () => void {
  const before = readFileSync(file);
  const bytes = Buffer.from(before);
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 4;
  writeFileSync(file, bytes);
  return () => writeFileSync(file, before);
}

async function listed(): Promise<DrillList> {
  const { out } = await understudy("drill", "list", "--json");
  return JSON.parse(out) as DrillList;
}

async function refused(args: readonly string[], exit: number, words: string | RegExp) {
  const before = existsSync(stored("proofs")) ? readdirSync(stored("proofs")) : [];
  const ended = await understudy("drill", ...args);
  const matcher = typeof words === "string" ? expect.stringContaining(words) : undefined;
  expect([args, ended.exit, ended.err]).toEqual([
    args,
    exit,
    matcher ?? expect.stringMatching(words),
  ]);
  expect(existsSync(stored("proofs")) ? readdirSync(stored("proofs")) : []).toEqual(before);
  expect(readdirSync(scratch)).toEqual([]);
}

/** Every segment that was written so far is in the repository. */
async function archived(): Promise<void> {
  const name = await node.sql("SELECT pg_walfile_name(pg_switch_wal())");
  await until(`${name} is archived`, () => existsSync(stored("wal", "00000001", `${name}.zst`)));
}

beforeAll(async () => {
  stage = await AgentStage.open({ archives: true });
  await stage.etcd();
  directory = ownedFolder("repo");
  scratch = ownedFolder("drills");
  // Nothing here is about failover, and a slow machine shall not make one.
  const bootstrap = { dcs: { ttl: 120, retry_timeout: 30 } };
  node = await stage.node("n1", { bootstrap, backup: { repositories: { near: { directory } } } });
  node.smallDisk(400);
  await node.startAndLead();
  await node.sql("CREATE TABLE orders AS SELECT generate_series(1, 1000) AS n");
  await node.sql("CREATE INDEX ON orders (n)");
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

test("without a backup, and without room, nothing is begun", async () => {
  drill({ directory: scratch });
  await understudy("backup", "repo", "init");
  expect((await understudy("drill", "list")).out).toContain("was ever restored by a drill");
  await refused(["show"], 10, "it holds none");
  await refused(["run"], 10, "there is no such backup");
  const taken = await understudy("backup", "run");
  expect([taken.exit, taken.err]).toMatchObject([0, expect.anything()]);
  await node.sql("INSERT INTO orders SELECT generate_series(1001, 1500)");
  await archived();
  // Below the state directory, which is on a small disk.
  drill({ directory: null });
  await refused(["run"], 6, "are free in");
});

test("a drill restores the data, says what it saw, and leaves nothing but its proof", async () => {
  drill({ directory: scratch, queries: { orders: COUNT } });
  const live = node.postmasterPid();
  const run = await understudy("drill", "run", "--json");
  expect([run.exit, run.err]).toMatchObject([0, expect.anything()]);
  const proof = JSON.parse(run.out) as DrillProof;
  expect(proof).toMatchObject({ outcome: "passed", repo: "near", ranOn: "n1" });
  expect(proof.checks).toEqual([
    { name: "target", outcome: "passed", why: expect.stringContaining("it came up at") },
    {
      name: "last transaction",
      outcome: "passed",
      why: expect.stringContaining("is committed in the copy"),
    },
    { name: "query orders", outcome: "passed", why: "answered 1500|1125750" },
    { name: "pg_amcheck", outcome: "passed", why: "every table and every B-tree was read" },
    { name: "data checksums", outcome: "passed", why: "those of every page fit" },
  ]);
  expect(proof.phases.map(({ name }) => name)).toEqual([
    "restore",
    "recover",
    "check",
    "stop",
    "check",
  ]);
  expect(proof.rtoMs).toBeGreaterThan(0);
  expect(proof.rpo?.bytes).toBeGreaterThanOrEqual(0);
  expect(proof.backup.objects.map(({ file }) => file)).toContain("backup_manifest.zst");
  expect(readdirSync(scratch)).toEqual([]);
  // The live server goes on as before.
  expect(node.postmasterPid()).toBe(live);
  expect(await node.answers(COUNT.sql)).toBe(COUNT.expect);
  // Nothing of the copy has reached the archive of its original.
  expect(readdirSync(stored("wal"))).toEqual(["00000001"]);
});

const near321 = async () => {
  await node.untilReason("leading");
  const { out } = await understudy("backup", "3-2-1", "--json");
  return (JSON.parse(out) as ThreeTwoOne).copies.find(({ name }) => name === "near");
};

test("what was restored is proven for everybody who asks", async () => {
  expect(await near321()).toMatchObject({ counts: "yes", isProven: true, isRestored: true });
  // As the user whom the repository belongs to.
  node.giveToServer(node.file);
  const target = join(stage.root, "restored");
  const args = ["-c", node.file, "restore", "--target-dir", target, "--preview"];
  const preview = spawnSync(process.execPath, [join(stage.bin, "cli.mjs"), ...args], {
    encoding: "utf8",
    ...(serverUser && { uid: serverUser.uid, gid: serverUser.gid }),
  });
  expect([preview.status, preview.stderr]).toEqual([
    0,
    expect.stringContaining("restored by the drill"),
  ]);
  expect((await understudy("backup", "list")).out).not.toContain("while taken");
});

test("the proof is believed by its signature, by us and by openssl", async () => {
  const { items } = await listed();
  expect(items).toMatchObject([{ signature: { kind: "good", trust: "this member" } }]);
  const shown = await understudy("drill", "show");
  expect(shown.out).toContain("was restored and is what it should be");
  expect(shown.out).toContain("signed by the key");
  const key = items[0]?.key ?? "";
  const signer = items[0]?.proof?.signer ?? "";
  drill({ signers: ["0123456789abcdef0123456789abcdef"], key_file: join(scratch, "none") });
  const foreign = await understudy("drill", "show");
  expect([foreign.exit, foreign.err]).toEqual([4, expect.stringContaining("is not one of")]);
  drill({ signers: [signer] });
  expect((await understudy("drill", "show")).out).toContain("(named in the file)");
  drill({ signers: null, key_file: null });
  const file = stored(key);
  const honest = readFileSync(file, "utf8");
  const verify =
    commandsIn(
      readFileSync(new URL("../../docs/howto/prove-backups.md", import.meta.url), "utf8"),
    ).find((line) => line.startsWith("openssl")) ?? "";
  const byHand = () =>
    execFileSync(
      "sh",
      [
        "-c",
        verify
          .replace("8c1f6a3bd02e94577d10e9b2c4a6f813", signer)
          .replaceAll("1795767600000-drill-passed-20261127T082000Z-063dd4a5", key.slice(7, -5)),
      ],
      { cwd: stored(), encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
    );
  expect(byHand()).toContain("Verified Successfully");
  writeFileSync(file, honest.replace('"rtoMs": ', '"rtoMs": 1'));
  expect(byHand).toThrow();
  const tampered = await understudy("drill", "show");
  expect([tampered.exit, tampered.err]).toEqual([4, expect.stringContaining("does not fit")]);
  expect((await understudy("drill", "list")).out).toContain("NOT PROVEN");
  writeFileSync(file, honest);
});

test("what cannot be tried is refused in a line what, why and what next, and proves nothing", async () => {
  await refused(["run", "--to-lsn", "F/0"], 6, "lies behind the end");
  await refused(["run", "--to-time", "2020-01-01 00:00:00Z"], 6, "lies before the end of");
  await refused(["run", "--backup", "20200101T000000Z-00000000"], 10, "no such backup");
  await refused(["run", "--repo", "far"], 6, "there is no repository far");
  await refused(["run", "--to", "backup", "--to-lsn", "0/1"], 2, "2 targets");
  await refused(["show", "20200101T000000Z-00000000"], 10, "it holds none named");
  for (const [at, words] of [
    ["/usr", "it belongs to user number"],
    ["/etc/hostname", "it is no directory"],
    [join(directory, "below"), "it lies in the repository near"],
    [join(node.dataDir, "below"), "it lies in the data directory"],
    [join(scratch, "x".repeat(80)), "too long for a socket"],
  ] as const) {
    drill({ directory: at });
    await refused(["run"], 6, words);
  }
  expect(readdirSync(directory)).not.toContain("below");
  const open = join(stage.root, "open.key");
  writeFileSync(open, "no key", { mode: 0o644 });
  drill({ directory: scratch, key_file: open });
  await refused(["run"], 6, "others may read it");
  const other = join(stage.root, "rsa.key");
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  writeFileSync(other, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  node.giveToServer(other);
  drill({ key_file: other });
  await refused(["run"], 6, "no private key of Ed25519");
  drill({ key_file: null });
});

test("a wrong answer fails the drill, and the proof says so", async () => {
  drill({ amcheck: false, queries: { orders: { expect: "1501|1125750" } } });
  const run = await understudy("drill", "run");
  expect([run.exit, run.err]).toEqual([4, expect.stringContaining("expected 1501|1125750")]);
  drill({ queries: { orders: COUNT } });
  const [newest] = (await listed()).items;
  expect(newest).toMatchObject({ name: { outcome: "failed" }, signature: { kind: "good" } });
  expect(newest?.proof?.why).toContain("query orders: answered 1500|1125750");
  expect(newest?.proof?.checks).toContainEqual({
    name: "pg_amcheck",
    outcome: "not checked",
    why: "backup.drill.amcheck is off",
  });
});

test("the doctor, the metrics and 3-2-1 know of the last drill, and of the last one that passed", async () => {
  const copy = await near321();
  expect(copy).toMatchObject({ counts: "yes", isProven: false });
  expect(copy?.remarks).toEqual([expect.stringContaining("its last drill failed")]);
  const { out } = await understudy("doctor", "--json");
  expect(out).toContain("backup_drill_failed");
  expect(out).not.toContain("backup_drill_old");
  const { text } = await node.rest("GET", "/metrics");
  expect(text).toMatch(/^understudy_drill_last_passed{[^}]*name="n1"[^}]*} 0$/m);
  expect(text).toMatch(/^understudy_drill_last_success_timestamp_seconds{[^}]*} \d+/m);
});

test("damage fails the drill by the name of the object, in the backup and in the WAL", async () => {
  const { items } = await listed();
  const { backup } = items[0]?.proof ?? {};
  const [segment = ""] = readdirSync(stored("wal", "00000001")).toReversed();
  const files = [
    [stored("base", backup?.id ?? "", "base.tar.zst"), "base.tar.zst"],
    [stored("wal", "00000001", segment), segment.slice(0, 24)],
  ] as const;
  for (const [file, words] of files) {
    const repair = flipBit(file);
    const run = await understudy("drill", "run");
    repair();
    expect([run.exit, run.err]).toEqual([4, expect.stringContaining(words)]);
    const [newest] = (await listed()).items;
    expect(newest?.proof).toMatchObject({ outcome: "failed" });
    expect(newest?.proof?.why).toContain(words);
    expect(readdirSync(scratch)).toEqual([]);
  }
});

/** A drill that stands still while its copy is up. */
async function heldDrill(): Promise<{ readonly job: Job; readonly pid: number; dataDir: string }> {
  drill({ queries: { orders: { sql: "SELECT pg_sleep(600)" } } });
  const answer = await node.rest("POST", "/understudy/jobs", { task: "drill-run" });
  const job = JSON.parse(answer.text) as Job;
  const [find, held] = [() => readdirSync(scratch)[0] ?? "", () => join(scratch, find())];
  await until("the copy answers", async () => {
    const { text } = await node.rest("GET", `/understudy/jobs?id=${job.id}`);
    return text.includes("asking orders");
  });
  const marker = readFileSync(join(held(), "understudy_drill.json"), "utf8");
  const { pid } = JSON.parse(marker) as { pid: number };
  return { job, pid, dataDir: join(held(), "data") };
}

const stateOf = async (id: string): Promise<Job["state"] | undefined> => {
  const { text } = await node.rest("GET", `/understudy/jobs?id=${id}`);
  return (JSON.parse(text) as { items: readonly Job[] }).items[0]?.state;
};

test("a drill that is cancelled proves nothing and leaves nothing", async () => {
  const before = readdirSync(stored("proofs")).length;
  const { job } = await heldDrill();
  const told = await understudy("backup", "jobs", "cancel", job.id);
  expect(told.exit).toBe(0);
  await until("it is cancelled", async () => (await stateOf(job.id)) === "cancelled");
  expect(readdirSync(scratch)).toEqual([]);
  expect(readdirSync(stored("proofs"))).toHaveLength(before);
});

test("a drill that is killed takes its copy with it, and the next life of the agent sweeps", async () => {
  const { job, pid, dataDir } = await heldDrill();
  const strange = join(scratch, "20200101T000000Z-00000000");
  mkdirSync(strange);
  writeFileSync(join(strange, "mine"), "not a drill's");
  process.kill(pid, "SIGKILL");
  await until("the job has failed", async () => (await stateOf(job.id)) === "failed");
  await until("the copy is down", () => lookAtServer({ dataDir }).isDown);
  expect(readdirSync(scratch)).toHaveLength(2);
  await node.kill();
  node.start();
  await until("what it left is gone", () => readdirSync(scratch).length === 1);
  expect(readFileSync(join(strange, "mine"), "utf8")).toBe("not a drill's");
  rmSync(strange, { recursive: true });
  drill({ queries: { orders: COUNT } });
});

test("an encrypted backup in a bucket is drilled with the right key, and with none it is not tried", async () => {
  await using bucket = await S3Double.start();
  await node.untilReason("leading");
  const identity = await generateIdentity();
  const right = join(stage.root, "right.key");
  writeFileSync(right, `${identity}\n`, { mode: 0o644 });
  const { accessKeyId: access_key, secretAccessKey: secret_key } = bucket.keys;
  const s3 = {
    ...{ bucket: bucket.bucket, region: bucket.region, endpoint: bucket.endpoint },
    ...{ path_style: true, access_key, secret_key },
  };
  const far = { s3, required: false };
  const encryption = { recipients: [await identityToRecipient(identity)] };
  node.change({ backup: { repositories: { far }, encryption } });
  const taken = await understudy("backup", "run", "--repo", "far");
  expect([taken.exit, taken.err]).toMatchObject([0, expect.anything()]);
  const run = (...args: readonly string[]) => ["run", "--repo", "far", "--to", "backup", ...args];
  await refused(run(), 6, "none of the private keys opens this object");
  const done = await understudy("drill", ...run("--identity", right));
  expect([done.exit, done.err]).toMatchObject([0, expect.anything()]);
  expect(done.out).toContain("passed: query orders: answered 1500|1125750");
  // Nothing was wished but the backup itself, so nothing is said of a loss.
  expect(done.out).toContain("what would be lost was not measured");
  expect((await understudy("drill", "show", "--repo", "far")).out).toContain("signed by the key");
  const kept = [...bucket.objects.keys()].filter((key) => key.includes("-drill-"));
  expect(kept.map((key) => key.split(".").at(-1))).toEqual(expect.arrayContaining(["json", "sig"]));
});
