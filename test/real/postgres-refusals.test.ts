// What is refused, with which code, and that nothing is changed or lost by it.
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isRoot } from "../../src/adapters/system/os-user.ts";
import { FIRST_BRANCH } from "../../src/model/timeline.ts";
import {
  asServer,
  never,
  PLAN,
  PostgresStage,
  START_LIMIT_MS,
  type TestNode,
  until,
} from "../support/postgres-stage.ts";

let stage: PostgresStage;
let a: TestNode;

beforeAll(async () => {
  stage = await PostgresStage.open();
  a = await stage.node("a");
  await a.bootstrap();
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

const withParameters = (parameters: Record<string, string>) => ({ ...PLAN, parameters });
const configOf = (node: TestNode): string =>
  readFileSync(join(node.dataDir, "postgresql.conf"), "utf8");

test("a parameter below what the cluster needs is refused with the number", async () => {
  const plan = withParameters({ max_wal_senders: "2" });
  await expect(a.postgres.applySettings(plan, never())).rejects.toMatchObject({
    code: "PG_PARAMETER_REFUSED",
    why: "at least 6 is needed with 3 members",
  });
});

test("a value that the server does not understand never replaces the one it has", async () => {
  const before = configOf(a);
  for (const parameters of [{ shared_buffers: "plenty" }, { no_such_parameter: "1" }]) {
    await expect(
      a.postgres.applySettings(withParameters(parameters), never()),
    ).rejects.toMatchObject({
      code: "PG_PARAMETER_REFUSED",
    });
  }
  expect(configOf(a)).toBe(before);
});

test("a rule of access that cannot be read never replaces the ones in force", async () => {
  const plan = { ...PLAN, pgHba: ["host all all nonsense/33 trust"] };
  await expect(a.postgres.applySettings(plan, never())).rejects.toMatchObject({
    code: "PG_PARAMETER_REFUSED",
  });
  expect((await a.look()).settingsStale).toBe(false);
});

test("a change is applied by a reload, or named as waiting for a restart", async () => {
  const plan = withParameters({
    work_mem: "7MB",
    shared_buffers: "64MB",
    max_connections: "120",
    "understudy.note": "it's 'quoted' \\ here",
  });
  expect((await a.look(plan)).settingsStale).toBe(true);
  await a.postgres.applySettings(plan, never());
  await until("the new work_mem is in force", async () => {
    const [row] = await a.query("SELECT current_setting('work_mem') AS v");
    return row?.["v"] === "7MB";
  });
  const [note] = await a.query("SELECT current_setting('understudy.note') AS v");
  expect(note?.["v"]).toBe("it's 'quoted' \\ here");
  const seen = await a.look(plan);
  expect(seen.settingsStale).toBe(false);
  const waiting = seen.sql.kind === "known" ? seen.sql.value.pendingRestart : [];
  expect(waiting).toEqual([
    { parameter: "max_connections", oldValue: "100", newValue: "120" },
    { parameter: "shared_buffers", oldValue: "128MB", newValue: "64MB" },
  ]);
  await a.postgres.applySettings(PLAN, never());
});

test("an address in use is named before the server is started", async () => {
  const node = await stage.node("taken");
  await node.fence.ensure(never());
  await node.postgres.initialise(PLAN, () => undefined, never());
  const stranger = createServer();
  const { port } = node.settings.postgres;
  await new Promise<void>((resolve) => stranger.listen({ host: "127.0.0.1", port }, resolve));
  try {
    const start = node.postgres.startPrimary(PLAN, START_LIMIT_MS, never());
    await expect(start).rejects.toMatchObject({ code: "PORT_IN_USE" });
  } finally {
    await new Promise((resolve) => stranger.close(resolve));
  }
  await node.postgres.discardHalfBootstrap(never());
  expect((await node.look()).directory).toBe("missing");
});

test("what a half bootstrap leaves is set aside once the server has run", async () => {
  const node = await stage.node("lost");
  await node.bootstrap();
  await node.postgres.stop(10_000, undefined, never());
  await node.postgres.discardHalfBootstrap(never());
  expect(await node.look()).toMatchObject({ directory: "missing", lineage: [] });
  const aside = readdirSync(dirname(node.dataDir)).filter((name) => name.includes(".unclaimed-"));
  expect(aside).toHaveLength(1);
});

test("a directory that has served a cluster is never discarded", async () => {
  await a.postgres.stop(10_000, undefined, never());
  await a.postgres.startPrimary(PLAN, START_LIMIT_MS, never());
  await a.postgres.stop(10_000, undefined, never());
  await a.postgres.discardHalfBootstrap(never());
  expect((await a.look()).directory).toBe("data");
  await a.postgres.startPrimary(PLAN, START_LIMIT_MS, never());
});

test("files of somebody else are no place for a cluster", async () => {
  const node = await stage.node("foreign");
  const { dataDir } = node;
  mkdirSync(dataDir);
  writeFileSync(join(dataDir, "letter.txt"), "dear");
  expect((await node.look()).directory).toBe("foreign");
  await expect(node.postgres.initialise(PLAN, () => undefined, never())).rejects.toMatchObject({
    code: "PG_DATA_FOREIGN",
  });
  expect(readFileSync(join(dataDir, "letter.txt"), "utf8")).toBe("dear");
});

test.runIf(isRoot())("a data directory of another owner is named", async () => {
  const node = await stage.node("owned");
  await node.fence.ensure(never());
  await node.postgres.initialise(PLAN, () => undefined, never());
  chownSync(node.dataDir, 0, 0);
  const start = node.postgres.startPrimary(PLAN, START_LIMIT_MS, never());
  await expect(start).rejects.toMatchObject({ code: "PG_DATA_OWNER" });
});

test("data of another major version is not started", async () => {
  const binDir = "/usr/lib/postgresql/15/bin";
  const node = await stage.node("older", { binDir });
  await node.fence.ensure(never());
  await node.postgres.initialise(PLAN, () => undefined, never());
  writeFileSync(join(node.dataDir, "PG_VERSION"), "14\n");
  const start = node.postgres.startPrimary(PLAN, START_LIMIT_MS, never());
  await expect(start).rejects.toMatchObject({ code: "PG_VERSION_MISMATCH" });
});

test("a missing program is named", async () => {
  const node = await stage.node("bare", { binDir: "/nonexistent" });
  await expect(node.postgres.initialise(PLAN, () => undefined, never())).rejects.toMatchObject({
    code: "PG_NO_TOOL",
  });
  expect((await node.look()).directory).toBe("missing");
});

test("a server that ends at once leaves its last words", async () => {
  const node = await stage.node("broken");
  await node.fence.ensure(never());
  await node.postgres.initialise(PLAN, () => undefined, never());
  const plan = { ...PLAN, pgHba: ["nonsense"] };
  await expect(node.postgres.startPrimary(plan, START_LIMIT_MS, never())).rejects.toMatchObject({
    code: "PG_START_FAILED",
    why: expect.stringContaining("pg_hba.conf"),
  });
});

test("data that another host did not shut down is not started here", async () => {
  const node = await stage.node("moved");
  await node.bootstrap();
  await node.fence.killServer(0, 10_000, never());
  const path = join(node.stateDir, "host.json");
  const record = JSON.parse(readFileSync(path, "utf8")) as object;
  writeFileSync(path, JSON.stringify({ ...record, bootId: "x", hostId: "y" }));
  const start = node.postgres.startPrimary(PLAN, START_LIMIT_MS, never());
  await expect(start).rejects.toMatchObject({ code: "HOST_CHANGED" });
});

test("whoever starts the server without the agent gets one that nobody can reach", async () => {
  const node = await stage.node("alone");
  await node.fence.ensure(never());
  await node.postgres.initialise(PLAN, () => undefined, never());
  expect(() => asServer("postgres", "-D", node.dataDir)).toThrow(/no socket created/);
});

test("an interrupted clone marks the directory, and only doing it again clears the mark", async () => {
  const slow = await stage.node("slow", { basebackupOptions: ["--max-rate=32k"] });
  await slow.fence.ensure(never());
  const cancel = new AbortController();
  const sizes: (number | undefined)[] = [];
  const clone = slow.postgres.clone(
    a.upstream(),
    [FIRST_BRANCH],
    ({ totalBytes }) => sizes.push(totalBytes),
    cancel.signal,
  );
  const outcome = clone.catch((error: unknown) => error);
  await until("the copy has begun", () => sizes.some((size) => (size ?? 0) > 0));
  const marker = join(slow.stateDir, "rebuild.json");
  const mark = readFileSync(marker, "utf8");
  expect((await slow.look()).directory).toBe("marked");
  cancel.abort(new Error("cancelled"));
  expect(await outcome).toMatchObject({ message: "cancelled" });
  expect(existsSync(marker)).toBe(false);
  expect((await slow.look()).directory).toBe("missing");

  // An agent that is killed in the midst of it cannot tidy up: its marker stays.
  writeFileSync(marker, mark);
  expect((await slow.look()).directory).toBe("marked");
  const start = slow.postgres.startStandby(PLAN, a.upstream(), START_LIMIT_MS, never());
  await expect(start).rejects.toMatchObject({ code: "NOT_POSSIBLE" });
  const settings = { ...slow.settings.postgres, basebackupOptions: [] };
  const again = await stage.node("slow", settings);
  await again.fence.ensure(never());
  await again.cloneFrom(a);
  await until("the clone streams", () => again.isStreaming());
  expect((await again.look()).directory).toBe("data");
});
