// Commands of the user's, run for real: what may hold a promotion back, and what comes before a stop.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { never, PostgresStage, START_LIMIT_MS, type TestNode } from "../support/postgres-stage.ts";

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
