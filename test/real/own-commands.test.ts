// Commands of the user's, run for real: what may hold a promotion back, what comes before a stop, what makes data.
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FIRST_BRANCH } from "../../src/model/timeline.ts";
import {
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
  a = await stage.node("a", {
    beforeStop: `psql -U postgres -Atc 'SHOW cluster_name' >> "$PGDATA/told" #`,
  });
  await a.bootstrap();
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

test("before_stop finds the server still there, and the stop goes on after it", async () => {
  await a.postgres.stop(START_LIMIT_MS, undefined, never());
  expect((await a.look()).process.kind).toBe("down");
  expect(readFileSync(join(a.dataDir, "told"), "utf8")).toBe("stage\n");
});

test("before_stop that hangs is ended within half of the time of the stop", async () => {
  const slow = await stage.node("slow", { beforeStop: "sleep 600 #" });
  await slow.bootstrap();
  await slow.postgres.stop(4_000, undefined, never());
  const { control } = await slow.look();
  expect(control?.state).toBe("shut down");
});

test("pre_promote says yes, no, or nothing at all", async () => {
  const asked = (name: string, prePromote: string | undefined) => stage.node(name, { prePromote });
  const yes = await asked("yes", `test "$1" = stage && test "$UNDERSTUDY_NAME" = yes && true`);
  await yes.postgres.beforePromote(never());
  await (await asked("none", undefined)).postgres.beforePromote(never());
  const no = await asked("no", "echo not today >&2; exit 4 #");
  await expect(no.postgres.beforePromote(never())).rejects.toMatchObject({
    code: "HOOK_REFUSED",
    why: "pre_promote ended with status 4: not today",
  });
  const hangs = await asked("hangs", "sleep 600 #");
  const cancelled = new AbortController();
  const answer = hangs.postgres.beforePromote(cancelled.signal);
  cancelled.abort(new Error("the lease is gone"));
  await expect(answer).rejects.toThrow("the lease is gone");
});

const BIN = "/usr/lib/postgresql/15/bin";
const own = (name: string, command: string, parameters: readonly string[] = []) => ({
  name,
  command,
  isBare: false,
  parameters,
});
const copyFrom = (node: TestNode, from: TestNode) =>
  node.postgres.clone(from.upstream(), [FIRST_BRANCH], () => undefined, never());

test("a cluster begins with what the user's command has made", async () => {
  const initdb = `${BIN}/initdb -U postgres -D "$PGDATA" >&2 && echo > "$PGDATA/made" #`;
  const node = await stage.node("made", {}, { method: own("mine", initdb) });
  await node.bootstrap();
  expect(await node.sqlState()).toMatchObject({ inRecovery: false, timeline: 1 });
  expect(existsSync(join(node.dataDir, "made"))).toBe(true);
  const roles = "SELECT rolname FROM pg_roles WHERE rolname = 'replicator'";
  expect(await node.query(roles)).toHaveLength(1);

  const clone = `sh -c 'echo "$@" > ${stage.root}/arguments; exit 5' sh`;
  const copy = `${BIN}/pg_basebackup -D "$PGDATA" -X stream -d "$(sed 's/.*--connstring=//; s/ --speed=.*//' ${stage.root}/arguments)" #`;
  const standby = await stage.node("copy", {
    cloneMethods: [own("first", clone, ["--speed=fast"]), own("second", copy)],
  });
  // The server's user writes there.
  chmodSync(stage.root, 0o777);
  await standby.fence.ensure(never());
  await copyFrom(standby, node);
  const told = readFileSync(join(stage.root, "arguments"), "utf8");
  expect(told).toMatch(/^--scope=stage --datadir=\S+\.clone-\w+ --role=replica --connstring=/);
  expect(told).toContain("--speed=fast");
  expect(existsSync(join(standby.dataDir, "made"))).toBe(true);
  await standby.postgres.startStandby(PLAN, node.upstream(), START_LIMIT_MS, never());
  await until("the copy streams", () => standby.isStreaming());

  // What a command leaves behind never replaces data of another cluster, nor half of a copy a whole one.
  await standby.postgres.stop(START_LIMIT_MS, undefined, never());
  const { control } = await standby.look();
  const wrong = await stage.node("wrong", {
    ...standby.settings.postgres,
    cloneMethods: [own("other", initdb), own("half", "true")],
  });
  await expect(copyFrom(wrong, node)).rejects.toMatchObject({
    code: "PG_CLONE_FAILED",
    why: expect.stringContaining("it left no data of a server"),
  });
  expect((await standby.look()).control?.systemId).toBe(control?.systemId);
});

test.each([
  ["exit 3 #", "it ended with status 3"],
  ["true #", "it left no data of a server"],
  [
    `${BIN}/initdb -U postgres -D "$PGDATA" >&2; touch "$PGDATA/recovery.signal" #`,
    "recovery first",
  ],
])("a command that makes no cluster leaves nothing: %s", async (command, why) => {
  const node = await stage.node("none", {}, { method: own("mine", command) });
  await node.fence.ensure(never());
  await expect(node.postgres.initialise(PLAN, () => undefined, never())).rejects.toMatchObject({
    code: "PG_START_FAILED",
    why: expect.stringContaining(why),
  });
  expect((await node.look()).directory).toBe("missing");
  await node.fence.quit(never());
});
