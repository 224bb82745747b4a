// Does an agent that cannot work say what, why and what next, end with its number, and touch nothing?
import { chmodSync, chownSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isRoot } from "../../src/adapters/system/os-user.ts";
import type { JsonObject } from "../../src/model/wire/json.ts";
import { AgentStage, checksum, type TestAgent, until } from "../support/agent.ts";

let stage: AgentStage;
/** Runs the whole time, as the primary of the cluster that the others stumble upon. */
let first: TestAgent;
/** Data of another cluster, whose server is down: each test works on a copy. */
let other: TestAgent;

beforeAll(async () => {
  stage = await AgentStage.open();
  await stage.etcd();
  first = await stage.node("first");
  other = await stage.node("other", { scope: "elsewhere" });
  await Promise.all([first.startAndLead(), other.startAndLead()]);
  expect(await other.stop()).toBe(0);
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

/** A node of the other cluster whose data are a copy. */
async function copy(name: string, change: JsonObject = {}): Promise<TestAgent> {
  const node = await stage.node(name, { scope: "elsewhere", name: "other", ...change });
  cpSync(other.dataDir, node.dataDir, { recursive: true, preserveTimestamps: true });
  cpSync(other.stateDir, node.stateDir, { recursive: true });
  node.giveToServer(node.dataDir);
  return node;
}

/** Starts the agent, which must end with this number and three lines, its directories as they were. */
async function refused(node: TestAgent, exit: number, ...lines: readonly (string | RegExp)[]) {
  const before = checksum(node.dataDir);
  node.start();
  const ended = await node.ended();
  expect(ended.lines, node.said).toHaveLength(3);
  for (const [at, line] of lines.entries()) {
    if (typeof line === "string") expect(ended.lines[at]).toContain(line);
    else expect(ended.lines[at]).toMatch(line);
  }
  expect(ended.exit, node.said).toBe(exit);
  expect(checksum(node.dataDir)).toBe(before);
  expect(node.isServerDown()).toBe(true);
  expect(node.fencePid(), "no fence was left").toBeUndefined();
}

test("a file that is not YAML", async () => {
  const node = await stage.node("garbled");
  node.writeText("scope: stage\nname: [garbled\n");
  await refused(node, 2, `reading ${node.file}`, /not valid: .*:\d+:\d+: /, "CONFIG_INVALID");
});

test("a file that is not there", async () => {
  const node = await stage.node("absent");
  const { exit, err } = await stage.cli("-c", `${node.file}.not`, "agent");
  expect([exit, err.trim().split("\n")]).toMatchObject([2, { length: 3 }]);
  expect(err).toContain("no configuration was found");
});

test("values of the wrong type are all named, and nothing starts", async () => {
  const change = { tags: { nofailover: "perhaps" }, restapi: { listen: "nowhere:x" } };
  const node = await stage.node("types", change);
  node.start();
  const { exit, lines } = await node.ended();
  expect(exit).toBe(2);
  expect(lines.filter((line) => line.startsWith("problem: "))).toHaveLength(2);
  expect(lines.at(-2)).toMatch(/understudy\.yml:\d+:\d+: .* and 1 more$/);
  const checked = await stage.cli("config", "check", node.file);
  expect([checked.exit, checked.out]).toMatchObject([2, /nofailover/]);
});

test.each([
  ["ttl", { ttl: 3, retry_timeout: 1 }, "the least is 5 s"],
  ["loop_wait", { loop_wait: 60 }, "loop_wait + 2 x retry_timeout must not exceed ttl"],
])("a timing that cannot hold: %s", async (_, dcs, why) => {
  const node = await stage.node("timing", { bootstrap: { dcs } });
  await refused(node, 2, `reading ${node.file}`, why, "see file, line and column");
});

test("a parameter below the number that the cluster needs", async () => {
  const parameters = { max_wal_senders: 2 };
  const node = await stage.node("few", { postgresql: { parameters } });
  await refused(node, 2, "reading", "max_wal_senders too low: at least 10 is needed");
  const shared = { bootstrap: { dcs: { postgresql: { parameters } } } };
  const same = await stage.node("few", shared);
  await refused(same, 2, "reading", "max_wal_senders must be at least 10");
});

test("the REST address is in use", async () => {
  const node = await stage.node("taken");
  await listening(node, node.restPort, () =>
    refused(node, 6, `REST on ${node.address}:${node.restPort}`, "in use by another program"),
  );
});

test("the server's address is in use", async () => {
  const node = await copy("busy");
  await listening(node, node.port, () =>
    refused(node, 6, `listening on ${node.address}:${node.port}`, "in use by another program"),
  );
});

test.runIf(isRoot())("the data belong to another user", async () => {
  const node = await copy("owned");
  chownSync(node.dataDir, 0, 0);
  await refused(node, 6, `using ${node.dataDir}`, "belongs to user number 0", "chown it");
});

test("the directory is not PostgreSQL's", async () => {
  const node = await stage.node("letters");
  mkdirSync(node.dataDir);
  writeFileSync(join(node.dataDir, "letter.txt"), "dear");
  await refused(node, 6, `using ${node.dataDir}`, "is not one of ours", "name an empty directory");
});

test("the data belong to another cluster", async () => {
  const node = await copy("lost", { scope: "stage", name: "lost" });
  await refused(node, 6, `using ${node.dataDir}`, "its system identifier is", "change scope");
});

test("the data are of another major version", async () => {
  const node = await copy("old");
  writeFileSync(join(node.dataDir, "PG_VERSION"), "14\n");
  await refused(node, 6, "using", "the data is of version 14, the program of 15", "bin_dir");
});

test("there are no server programs", async () => {
  const node = await stage.node("bare", { postgresql: { bin_dir: "/nonexistent" } });
  await refused(node, 6, "looking for postgres", "not found /nonexistent", "install the package");
});

test("the agent may not write its own directory", async () => {
  const node = await stage.node("shut");
  // Not even root can make a directory below a file.
  if (isRoot()) writeFileSync(node.stateDir, "");
  else mkdirSync(node.stateDir, { mode: 0o500 });
  await refused(node, 6, `using ${node.stateDir}`, "cannot be written", "understudy.state_dir");
  if (!isRoot()) chmodSync(node.stateDir, 0o700);
});

test("the log cannot be written", async () => {
  const node = await stage.node("mute", { log: { file: "/dev/null/agent.log" } });
  await refused(node, 2, "opening the log file /dev/null/agent.log", "not valid");
});

test("another agent of this name runs", async () => {
  const twin = await stage.node("first");
  await refused(twin, 6, "starting the agent first", `one answers at ${first.apiUrl}`);
  expect((await first.status())?.node.because?.reason).toBe("leading");
});

test("the same file twice", async () => {
  const { exit, err } = await stage.cli("-c", first.file, "agent");
  expect([exit, err]).toMatchObject([6, /in use by another program/]);
  expect(await first.sql("SELECT 1")).toBe("1");
});

test("data that another host did not shut down", async () => {
  const node = await copy("moved");
  node.start();
  await node.untilReason("leading");
  await node.kill();
  const fence = node.fencePid();
  if (fence !== undefined) process.kill(fence, "SIGKILL");
  await until("the server is down", () => node.isServerDown());
  const path = join(node.stateDir, "host.json");
  const record = JSON.parse(readFileSync(path, "utf8")) as object;
  writeFileSync(path, JSON.stringify({ ...record, bootId: "x", hostId: "y" }));
  const why = "it was last used on another host and was not shut down there";
  await refused(node, 6, `using ${node.dataDir}`, why, "before forcing it");
  expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ hostId: "y" });
});

test("an unknown key is a warning with its place and the nearest name, and the agent starts", async () => {
  const node = await copy("odd", { scope: "odd", name: "odd", wathdog: { mode: "off" } });
  node.start();
  await node.untilSaid("the agent starts");
  expect(node.said).toMatch(
    /warning: .*understudy\.yml:\d+:1: wathdog is not a known setting, did you mean watchdog\?/,
  );
  const strict = await stage.cli("config", "check", node.file, "--strict");
  expect([strict.exit, strict.out]).toMatchObject([3, /did you mean watchdog\?/]);
  expect((await stage.cli("config", "check", node.file)).exit).toBe(0);
  // The store knows no cluster of this name although there is data: nothing is initialised over it.
  await node.untilReason("store_empty");
  expect(await node.stop()).toBe(0);
});

async function listening(node: TestAgent, port: number, then: () => Promise<void>) {
  const stranger = createServer();
  await new Promise<void>((done) => stranger.listen({ host: node.address, port }, done));
  try {
    await then();
  } finally {
    await new Promise((done) => stranger.close(done));
  }
}
