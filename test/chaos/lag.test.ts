// Every cause of lag is made for real, on a standby with a network and a disk of its own, and named as what it is.
import { existsSync } from "node:fs";
import type pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { waitForPrimary } from "../../src/lab/health.ts";
import type { LabMember } from "../../src/lab/record.ts";
import { isRoot, make, useLab } from "../support/lab.ts";
import { lagIn, sessionOn, untilCause } from "../support/lag-stage.ts";
import { until } from "../support/until.ts";

const LIMIT_MS = 60_000;
const MEGABYTE = 1024 * 1024;
/** WAL that costs its replay nothing. */
const CHEAP = "SELECT pg_logical_emit_message(false, 'lag', repeat('x', $1))";
/** WAL whose replay is work. */
const DEAR = `INSERT INTO lag SELECT i, md5(i::text), md5((-i)::text) FROM generate_series(1, 60000) i`;

// Namespaces and loop devices belong to root, and not every container has the latter.
describe.runIf(isRoot && existsSync("/dev/loop-control"))("the lag of a standby", () => {
  const lab = useLab("lag", {
    nodes: 2,
    etcd: 1,
    etcdApart: true,
    net: "namespaces",
    diskMegabytes: 768,
    diskKind: "file",
  });
  const readers: pg.Client[] = [];
  let standby: LabMember;
  let writer: pg.Client;

  /** A session on the standby, ended with its test. */
  const read = async (): Promise<pg.Client> => {
    const client = await sessionOn(lab(), standby);
    readers.push(client);
    return client;
  };
  const set = async (on: pg.Client, parameter: string, value: string): Promise<void> => {
    await on.query(`ALTER SYSTEM SET ${parameter} = '${value}'`);
    await on.query("SELECT pg_reload_conf()");
  };

  beforeAll(async () => {
    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    standby = lab().members.find(({ name }) => name !== member.name)!;
    writer = await sessionOn(lab(), lab().members.find(({ name }) => name === member.name)!);
    await writer.query("CREATE TABLE lag (a int, b text, c text)");
    await writer.query("CREATE INDEX ON lag (b)");
    await writer.query("CREATE INDEX ON lag (c)");
    await writer.query("INSERT INTO lag SELECT i, '', '' FROM generate_series(1, 1000) i");
  });
  afterEach(async () => {
    await Promise.all(readers.splice(0).map((reader) => reader.end().catch(() => undefined)));
    const on = await sessionOn(lab(), standby);
    await on.query("ALTER SYSTEM RESET ALL");
    await on.query("SELECT pg_reload_conf()");
    await on.query("SELECT pg_wal_replay_resume() WHERE pg_is_wal_replay_paused()");
    await on.end();
    await untilCause(lab(), standby.name, ["idle", "caught_up"]);
  });
  afterAll(() => writer.end().catch(() => undefined));

  it("is none while nothing is written, however long that lasts", async () => {
    const row = await untilCause(lab(), standby.name, "idle");
    expect(row.sent?.stages.replay).toMatchObject({ behindBytes: 0, behindMs: 0 });
    expect(row.disagreements).toEqual([]);
  });

  it("is a query that needs what the primary has removed", async () => {
    const reader = await read();
    await set(reader, "max_standby_streaming_delay", "-1");
    await reader.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
    const { rows } = await reader.query<{ pid: number }>(
      "SELECT pg_backend_pid() AS pid FROM lag LIMIT 1",
    );
    await writer.query("DELETE FROM lag WHERE a <= 500");
    await writer.query("VACUUM lag");
    await writer.query(CHEAP, [MEGABYTE]);
    const { diagnosis } = await untilCause(lab(), standby.name, "query");
    expect(diagnosis.sentence).toContain(`pid ${rows[0]?.pid}`);
    expect(diagnosis.remedy.join(" ")).toContain("hot_standby_feedback");
  });

  it("is a query that holds a lock, whatever the feedback", async () => {
    const reader = await read();
    await set(reader, "hot_standby_feedback", "on");
    await set(reader, "max_standby_streaming_delay", "-1");
    await reader.query("BEGIN");
    await reader.query("SELECT count(*) FROM lag");
    await writer.query("ALTER TABLE lag ADD COLUMN d int");
    await writer.query(CHEAP, [MEGABYTE]);
    const { own, diagnosis } = await untilCause(lab(), standby.name, "query");
    expect(own?.queries[0]?.blocks).toBe(true);
    expect(diagnosis.remedy.join(" ")).not.toContain("hot_standby_feedback");
  });

  it("is queries that replay has to cancel again and again", async () => {
    const reader = await read();
    await set(reader, "max_standby_streaming_delay", "3s");
    // Replay cancels a statement, and ends a session that is idle in its transaction: each round has its own.
    const conflict = async (): Promise<void> => {
      const victim = await sessionOn(lab(), standby);
      try {
        await victim.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
        await victim.query("SELECT count(*) FROM lag");
        await writer.query("UPDATE lag SET b = 'x' WHERE a <= 900");
        await writer.query("VACUUM lag");
        await victim.query("SELECT pg_sleep(30)");
      } catch {
        // Cancelled or ended, as it should be.
      } finally {
        await victim.end().catch(() => undefined);
      }
    };
    let goesOn = true;
    const fighting = (async () => {
      while (goesOn) await conflict();
    })();
    try {
      const { own } = await untilCause(lab(), standby.name, "conflict");
      expect(own?.cancelled["snapshot"]).toBeGreaterThan(0);
    } finally {
      goesOn = false;
      await fighting;
    }
  });

  it("is deliberate where replay is delayed or paused", async () => {
    const reader = await read();
    await set(reader, "recovery_min_apply_delay", "1min");
    await writer.query("INSERT INTO lag VALUES (0, '', '')");
    const { diagnosis } = await untilCause(lab(), standby.name, "delayed");
    expect(diagnosis.weight).toBe("note");
    await set(reader, "recovery_min_apply_delay", "0");
    await reader.query("SELECT pg_wal_replay_pause()");
    await writer.query("INSERT INTO lag VALUES (0, '', '')");
    expect((await untilCause(lab(), standby.name, "paused")).diagnosis.weight).toBe("trouble");
  });

  it("is replay, where that gets too little of a processor", async () => {
    await make(lab(), "slow-replay", standby.name, { cpuPercent: 1 });
    await writer.query(DEAR);
    const { diagnosis } = await untilCause(lab(), standby.name, "replay_cpu");
    expect(diagnosis.stage).toBe("replay");
    expect(diagnosis.evidence.join(" ")).toContain("waiting for one");
    await make(lab(), "fast-replay", standby.name);
  });

  it("is the network, where that carries too little", async () => {
    await make(lab(), "slow-link", standby.name, { links: ["cluster"], kbit: 2_000 });
    await writer.query(CHEAP, [6 * MEGABYTE]);
    const { diagnosis } = await untilCause(lab(), standby.name, "network");
    expect(["sent", "write"]).toContain(diagnosis.stage);
    await make(lab(), "heal", standby.name);
  });

  it("is the disk, where that takes too little", async () => {
    await make(lab(), "slow-disk", standby.name, { iops: 10 });
    let goesOn = true;
    const writing = (async () => {
      while (goesOn) await writer.query(CHEAP, [MEGABYTE / 4]);
    })();
    try {
      const { diagnosis } = await untilCause(lab(), standby.name, "disk");
      expect(diagnosis.evidence.join(" ")).toContain("walreceiver waited for the disk");
    } finally {
      goesOn = false;
      await writing;
      await make(lab(), "fast-disk", standby.name);
    }
  });

  it("is a receiver that has been stopped, or that reaches nobody", async () => {
    const reader = await read();
    const { rows } = await reader.query<{ pid: number }>("SELECT pid FROM pg_stat_wal_receiver");
    const pid = rows[0]?.pid ?? 0;
    process.kill(pid, "SIGSTOP");
    try {
      await untilCause(lab(), standby.name, "stopped");
    } finally {
      process.kill(pid, "SIGCONT");
    }
    const primary = lab().members.find(({ name }) => name !== standby.name)!;
    await make(lab(), "cut", standby.name, { to: primary.name, fate: "closed" });
    const { diagnosis } = await untilCause(lab(), standby.name, "disconnected");
    expect(diagnosis.stage).toBe("sent");
    await make(lab(), "heal", standby.name);
    await until("both sides agree again", async () => {
      const [row] = await lagIn(lab());
      return row?.from !== undefined && row.disagreements.length === 0;
    });
  });
});
