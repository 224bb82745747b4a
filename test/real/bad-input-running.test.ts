// What goes wrong while an agent runs: is it said, is nothing lost, and does it mend itself once the cause is gone?
import { existsSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AgentStage, checksum, PASSWORD, type TestAgent, until } from "../support/agent.ts";
import type { Etcd } from "../support/etcd.ts";

let stage: AgentStage;
let etcd: Etcd;
let a: TestAgent;

beforeAll(async () => {
  stage = await AgentStage.open();
  etcd = await stage.etcd();
  a = await stage.node("a");
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

describe("a store that cannot be reached", () => {
  test("is named with the way on, waited for, and used once it is there", async () => {
    const [member] = etcd.members;
    await member?.stop();
    a.start();
    await a.untilSaid("the store cannot be read yet, the agent goes on trying");
    expect(a.said).toMatch(/"why":"the consensus store did not answer: [^"]+"/);
    expect(a.said).toMatch(/"next":"check the store's endpoints and the network/);
    await a.untilReason("store_unread_waiting");
    const { exit, out } = await stage.cli("-c", a.file, "status");
    expect([exit, out]).toMatchObject([5, /unknown: the store cannot be read/]);
    expect(existsSync(a.dataDir)).toBe(false);
    await member?.start();
    await a.untilReason("leading");
  });
});

describe("the cluster's configuration", () => {
  const key = "/service/stage/config";
  const stored = async () => (await stage.store("get", key, "--print-value-only")).trim();
  const metrics = async () => (await a.rest("GET", "/metrics")).text;

  test.each([
    [{ loop_wait: 60 }, "loop_wait"],
    [{ ttl: 3 }, "ttl"],
    [{ ttl: "soon" }, "ttl"],
    [{ postgresql: { parameters: { max_wal_senders: 2 } } }, "max_wal_senders must be at least"],
  ])("is not changed by a request for %j", async (change, why) => {
    const before = await stored();
    const { status, text } = await a.rest("PATCH", "/config", change);
    expect([status, text]).toMatchObject([400, expect.stringContaining(why)]);
    expect(await stored()).toBe(before);
  });

  test("is bent with a warning when what is stored cannot hold", async () => {
    const before = JSON.parse(await stored()) as object;
    await stage.store("put", key, JSON.stringify({ ...before, loop_wait: 60 }));
    const status = await a.untilStatus("it is warned of", ({ warnings }) =>
      warnings.some((warning) => warning.includes("loop_wait")),
    );
    expect(status.cluster.ttlMs).toBe(10_000);
    await stage.store("put", key, JSON.stringify({ ...before, ttl: 3 }));
    await a.untilStatus("the lowest is used", ({ cluster }) => cluster.ttlMs === 5000);
    await stage.store("put", key, JSON.stringify(before));
    await a.untilStatus("all is as before", ({ cluster, warnings }) => {
      return cluster.ttlMs === 10_000 && !warnings.some((warning) => warning.includes("ttl"));
    });
  });

  test("stays the last good one when what is stored makes no sense", async () => {
    const before = await stored();
    await stage.store("put", key, '{"ttl": "soon"');
    await a.untilStatus("it is warned of", ({ cluster, warnings }) => {
      return cluster.ttlMs === 10_000 && warnings.some((warning) => warning.includes("config"));
    });
    expect(await metrics()).toMatch(/^understudy_config_warnings.* [1-9]$/m);
    await a.kill();
    a.start();
    const { cluster } = await a.untilReason("leading");
    expect(cluster.ttlMs).toBe(10_000);
    await stage.store("put", key, before);
    await a.untilStatus("the warning is gone", ({ warnings }) => {
      return !warnings.some((warning) => warning.includes("config"));
    });
  });
});

describe("a standby with a wrong password", () => {
  test("says so, copies nothing, and tries again", async () => {
    const replication = { username: "replicator", password: "wrong" };
    const b = await stage.node("b", { postgresql: { authentication: { replication } } });
    b.start();
    // The same failure is told once, and every attempt: each but the last one has failed.
    const failures = () => (b.said.match(/"step":"clone","msg"/g)?.length ?? 0) - 1;
    await until(
      "the clone has failed twice",
      () => failures() >= 2,
      () => b.said,
    );
    expect(b.said).toContain('"step":"clone","code":"PG_CLONE_FAILED"');
    expect(b.said).toContain("password authentication failed for user");
    const status = await b.untilReason("clone_waiting");
    expect(status.node.because?.detail).toContain("password authentication failed");
    expect(existsSync(b.dataDir)).toBe(false);
    expect(await b.stop()).toBe(0);
    b.change({ postgresql: { authentication: { replication: { password: `${PASSWORD}-r` } } } });
    b.start();
    await b.untilReason("following");
    expect(await b.stop()).toBe(0);

    // A rebuild that cannot be done leaves what there was.
    b.change({ postgresql: { authentication: { replication } } });
    b.start();
    await b.untilStatus("it runs", ({ node }) => node.server.state === "running");
    const asked = await stage.cli("-c", b.file, "reinit", "b", "--confirm", "b", "--no-wait");
    expect(asked.exit, asked.err).toBe(0);
    await until(
      "the rebuild has failed",
      () => failures() >= 1,
      () => b.said,
    );
    const kept = checksum(b.dataDir);
    await until("it failed again", () => failures() >= 2);
    expect(checksum(b.dataDir)).toBe(kept);
    await b.kill();
    b.change({ postgresql: { authentication: { replication: { password: `${PASSWORD}-r` } } } });
    b.start();
    await b.untilReason("following");
    expect(await b.stop()).toBe(0);
  });
});

describe("a full disk", () => {
  test("ends no agent and loses no row, and is over when there is room again", async () => {
    expect(await a.stop()).toBe(0);
    const c = await stage.node("c", { scope: "small" });
    c.smallDisk(96);
    // Shared memory must not lie on the disk that will be full.
    const parameters = { dynamic_shared_memory_type: "sysv" };
    c.change({ bootstrap: { dcs: { postgresql: { parameters } } } });
    await c.startAndLead();
    await c.sql("CREATE TABLE kept (n int); INSERT INTO kept SELECT generate_series(1, 100)");
    const ballast = join(c.seenDir, "ballast");
    fill(c.seenDir, ballast);
    // WAL that cannot be written ends the server: nothing else on a full disk does.
    const wal = `SELECT pg_logical_emit_message(true, 'wal', string_agg(md5(random()::text), ''))
      FROM generate_series(1, 10000)`;
    await until("the server can write no more", async () => {
      try {
        await c.sql(`INSERT INTO kept SELECT max(n) + 1 FROM kept; ${wal}`);
        return false;
      } catch {
        return true;
      }
    });
    await until(
      "the full disk is named",
      () => c.said.includes("PG_DISK_FULL"),
      () => c.said,
    );
    expect(c.said).toContain('"msg":"the disk is full"');
    const { out } = await stage.cli("-c", c.file, "status");
    expect(out).toMatch(/! c: its disk is full, .* are left: free space beside the data/);
    expect(c.isRunning).toBe(true);
    rmSync(ballast);
    await c.answers();
    expect(await c.sql("SELECT count(*) = max(n), count(*) >= 100 FROM kept")).toBe("t|t");
    await c.untilReason("leading");
    await c.untilSaid("the disk has room again");
    expect(await c.stop()).toBe(0);
  });
});

function fill(dir: string, file: string): void {
  const { bavail, bsize } = statfsSync(dir);
  writeFileSync(file, Buffer.alloc(Math.max(0, bavail * bsize - 2 * 1024 * 1024), 1));
}
