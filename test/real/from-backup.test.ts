// Members and clusters out of a repository: a standby that spares the primary, and a cluster that lost everything else.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AgentStage, type TestAgent, until } from "../support/agent.ts";

let stage: AgentStage;
let directory: string;
let first: TestAgent;

const repositories = () => ({ near: { directory } });
const COUNT = "SELECT count(*) FROM orders";

beforeAll(async () => {
  stage = await AgentStage.open({ archives: true });
  const lost = await stage.etcd();
  directory = join(stage.root, "repo");
  mkdirSync(directory);
  first = await stage.node("n1", { backup: { repositories: repositories() } }, lost.endpoints);
  first.giveToServer(directory);
  await first.startAndLead();
  await first.sql("CREATE TABLE orders AS SELECT generate_series(1, 1000) AS n");
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

const understudy = (node: TestAgent, ...args: readonly string[]) =>
  stage.cli("-c", node.file, ...args);

/** What lies there for good: backups and WAL, and no notes or pieces, which go again. */
function pathsStored(): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => path.includes("/wal/") || path.includes("/base/"));
}

const stored = (): ReadonlyMap<string, string> =>
  new Map(
    pathsStored().map((path) => [
      path,
      createHash("sha256").update(readFileSync(path)).digest("hex"),
    ]),
  );

const hasStored = (name: string): boolean =>
  pathsStored().some((path) => path.split("/").at(-1)?.startsWith(name));

/** Ends the segment that is written, and waits until it is outside. */
async function archive(node: TestAgent): Promise<void> {
  const name = await node.sql("SELECT pg_walfile_name(pg_switch_wal())");
  await until(`${name} is archived`, () => hasStored(name));
}

const isStreamed = async (from: TestAgent, name: string): Promise<boolean> =>
  (await from.sql(
    `SELECT count(*) FROM pg_stat_replication WHERE application_name = '${name}' AND state = 'streaming'`,
  )) === "1";

const MADE = "data was made from a backup";

test("a standby is not made of a backup that nobody has proven: the next method makes it", async () => {
  await understudy(first, "backup", "run");
  const second = await stage.node("n2", {
    backup: { repositories: repositories() },
    postgresql: { create_replica_methods: ["backup", "basebackup"] },
  });
  second.start();
  await until("n2 streams", () => isStreamed(first, "n2"));
  expect(second.said).toContain("no backup there is proven: understudy backup verify");
  expect(second.said).not.toContain(MADE);
  await second.end();
});

test("a standby is made of the newest proven backup and the WAL behind it", async () => {
  const verified = await understudy(first, "backup", "verify");
  expect([verified.exit, verified.err]).toMatchObject([0, expect.anything()]);
  await first.sql("INSERT INTO orders SELECT generate_series(1001, 1500)");
  await archive(first);
  const third = await stage.node("n3", {
    backup: { repositories: repositories() },
    postgresql: { create_replica_methods: ["backup"] },
  });
  third.start();
  await until(
    "n3 streams",
    () => isStreamed(first, "n3"),
    () => third.said,
  );
  expect(third.said).toContain(MADE);
  await first.sql("INSERT INTO orders SELECT generate_series(1501, 1600)");
  await until("n3 has every row", async () => (await third.sql(COUNT)) === "1600");
  // It may lead as any other: what the backup brought is on the cluster's history.
  await until("n3 may be promoted", async () => {
    const { exit } = await understudy(first, "switchover", "--to", "n3", "--yes");
    return exit === 0;
  });
  expect(await third.answers(COUNT)).toBe("1600");
  await third.sql("SELECT pg_create_restore_point('before_the_fire')");
  await third.sql("INSERT INTO orders VALUES (0)");
  await archive(third);
  for (const node of stage.nodes) await node.end();
});

test("a target that cannot be reached makes no cluster, and says so", async () => {
  const etcd = await stage.etcd();
  const phoenix = await stage.node(
    "p1",
    {
      backup: { repositories: repositories() },
      bootstrap: { method: "backup", backup: { to_lsn: "FFFF/0" } },
    },
    etcd.endpoints,
  );
  phoenix.start();
  const { node } = await phoenix.untilStatus(
    "the reason is told",
    ({ node: { because } }) => because?.detail?.includes("lies behind the end") === true,
  );
  expect(node.because?.reason).toBe("bootstrap_waiting");
  expect(existsSync(phoenix.dataDir)).toBe(false);
});

test("a new cluster is made of the backups of one that is lost, and writes over none of its WAL", async () => {
  const phoenix = stage.nodes.at(-1) as TestAgent;
  const before = stored();
  phoenix.change({ bootstrap: { backup: { to_lsn: null, to_name: "before_the_fire" } } });
  await phoenix.untilReason("leading");
  expect(phoenix.said).toContain(MADE);
  expect(await phoenix.answers(COUNT)).toBe("1600");
  // 1 was the first cluster's, 2 its switchover's.
  const where = "SELECT timeline_id FROM pg_control_checkpoint()";
  expect(await phoenix.sql(where)).toBe("3");
  expect(await phoenix.sql("SHOW recovery_target_name")).toBe("");

  // Another cluster of that name may live: a person says that it does not.
  const refused = await understudy(phoenix, "backup", "run");
  expect([refused.exit, refused.err]).toMatchObject([1, expect.stringContaining("--continue")]);
  const said = await understudy(phoenix, "backup", "repo", "init", "--continue");
  expect([said.exit, said.err]).toMatchObject([0, expect.anything()]);
  await phoenix.sql("INSERT INTO orders VALUES (-1)");
  await archive(phoenix);
  await until("the history is archived", () => hasStored("00000003.history"));
  const now = stored();
  for (const [path, sum] of before) expect([path, now.get(path)]).toEqual([path, sum]);

  const mate = await stage.node("p2", {}, phoenix.hosts);
  mate.start();
  await until(
    "p2 streams",
    () => isStreamed(phoenix, "p2"),
    () => mate.said,
  );
  await until("p2 has every row", async () => (await mate.sql(COUNT)) === "1601");
  await until("p2 may be promoted", async () => {
    const { exit } = await understudy(phoenix, "switchover", "--to", "p2", "--yes");
    return exit === 0;
  });
  expect(await mate.answers("SELECT timeline_id FROM pg_control_checkpoint()")).toBe("4");
});
