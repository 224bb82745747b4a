// How does one agent live, leave, die and come back, and what becomes of its server and its fence?
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readProcess } from "../../src/adapters/system/process-list.ts";
import { AgentStage, BIN_DIR, type TestAgent, until } from "../support/agent.ts";

let stage: AgentStage;
let a: TestAgent;

beforeAll(async () => {
  stage = await AgentStage.open();
  await stage.etcd();
  a = await stage.node("a");
  await a.startAndLead();
  await a.sql("CREATE TABLE kept (n int); INSERT INTO kept VALUES (1)");
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

const rows = () => a.answers("SELECT count(*) FROM kept");
const term = async () => (await a.untilReason("leading")).node.lease?.term;

describe("an agent that is told to stop", () => {
  test("stops its server cleanly, releases the key and leaves nothing behind", async () => {
    const fence = a.fencePid() ?? 0;
    expect(await a.stop()).toBe(0);
    expect(a.isServerDown()).toBe(true);
    await until("the fence is gone", () => readProcess(fence) === undefined);
    expect(a.fencePid()).toBeUndefined();
    expect(a.asServer("pg_controldata", a.dataDir)).toMatch(/cluster state: +shut down\n/);
    const keys = await stage.store("get", "--prefix", "/service/stage/", "--keys-only");
    expect(keys.split("\n")).not.toContain("/service/stage/leader");
  });

  test("brings the server back with its data", async () => {
    await a.startAndLead();
    expect(await rows()).toBe("1");
  });

  test("obeys a signal that comes in the midst of its start", async () => {
    expect(await a.stop()).toBe(0);
    a.start();
    await a.untilSaid("the agent starts");
    expect(await a.stop()).toBe(0);
    await until("the server is down", () => a.isServerDown());
    await a.startAndLead();
  });
});

describe("an agent that dies", () => {
  test("comes back to the same server in the same term", async () => {
    const postmaster = a.postmasterPid();
    const fence = a.fencePid();
    const before = await term();
    const since = await a.sql("SELECT pg_postmaster_start_time()");
    await a.kill();
    expect(await a.sql("SELECT 1")).toBe("1");
    a.start();
    expect(await term()).toBe(before);
    expect(a.said).toContain('"reason":"adopting"');
    expect(a.postmasterPid()).toBe(postmaster);
    expect(a.fencePid()).toBe(fence);
    expect(await a.sql("SELECT pg_postmaster_start_time()")).toBe(since);
  });

  test("and was detached leaves the server to the next one", async () => {
    const postmaster = a.postmasterPid();
    const before = await term();
    const { exit, out } = await stage.cli("-c", a.file, "agent", "detach");
    expect([exit, out]).toMatchObject([0, /PostgreSQL keeps running/]);
    expect((await a.ended()).exit).toBe(0);
    expect(a.postmasterPid()).toBe(postmaster);
    a.start();
    expect(await term()).toBe(before);
    expect(a.postmasterPid()).toBe(postmaster);
  });

  test("and never comes back takes the server down before the lease can end", async () => {
    expect((await a.rest("PATCH", "/config", { ttl: 5, retry_timeout: 1 })).status).toBe(200);
    await a.untilStatus("the lease is shorter", ({ cluster }) => cluster.ttlMs === 5000);
    const postmaster = a.postmasterPid();
    await a.kill();
    const key = ["get", "/service/stage/leader", "--print-value-only"] as const;
    await until("the server is down", () => a.isServerDown());
    // The lease in the store outlives what the holder may believe: nobody can have taken over yet.
    expect((await stage.store(...key)).trim()).toBe("a");
    expect(readProcess(postmaster)).toBeUndefined();
    await a.startAndLead();
    expect(await rows()).toBe("1");
  });
});

describe("a fence that dies", () => {
  test("takes the server with it, and both are replaced", async () => {
    const postmaster = a.postmasterPid();
    const fence = a.fencePid() ?? 0;
    process.kill(fence, "SIGKILL");
    await until("the server is gone", () => readProcess(postmaster) === undefined);
    await until("another fence lives", () => ![undefined, fence].includes(a.fencePid()));
    expect(await rows()).toBe("1");
    await a.untilStatus("the fence is armed", ({ node }) => node.fence.alive && node.fence.armed);
  });
});

describe("the server", () => {
  test("that loses a backend is reset by itself, without a failover", async () => {
    const postmaster = a.postmasterPid();
    const before = await term();
    const backend = await a.sql(
      "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'",
    );
    process.kill(Number(backend), "SIGKILL");
    await until("the server was reset", async () => {
      const log = readFileSync(join(a.stateDir, "server", "postgresql.log"), "utf8");
      return log.includes("all server processes terminated; reinitializing");
    });
    expect(await rows()).toBe("1");
    expect(await term()).toBe(before);
    expect(a.postmasterPid()).toBe(postmaster);
  });

  test("that somebody else starts is reported, unreachable and ended", async () => {
    expect(await a.stop()).toBe(0);
    // By hand it does not even open a socket: the configuration on disk listens nowhere (R17).
    expect(() => a.asServer("pg_ctl", "-D", a.dataDir, "-w", "-t", "5", "start")).toThrow();
    const stray = ["-o", `-c unix_socket_directories=${a.dir}`, "-l", join(a.dataDir, "stray.log")];
    a.asServer("pg_ctl", "-D", a.dataDir, "-w", ...stray, "start");
    const pid = a.postmasterPid();
    await expect(a.sql("SELECT 1")).rejects.toThrow(/refused/);
    a.start();
    await a.untilSaid('"reason":"stray_server"');
    await until("the stray server is gone", () => readProcess(pid) === undefined);
    expect(await rows()).toBe("1");
    expect(a.postmasterPid()).not.toBe(pid);
  });
});

describe("a file that is read again", () => {
  const WAITS = "a: a restart is pending (max_connections 100 → 120)";
  const shown = (name: string) => a.sql(`SELECT current_setting('${name}')`);

  test("changes what can be changed, and shows what waits for a restart", async () => {
    a.change({ postgresql: { parameters: { work_mem: "7MB", max_connections: 120 } } });
    a.signal("SIGHUP");
    await a.untilSaid("the file was read again");
    await until("work_mem is in force", async () => (await shown("work_mem")) === "7MB");
    await a.untilStatus("a restart is pending", ({ members, warnings }) => {
      const pending = members.flatMap(({ pendingRestart }) => pendingRestart);
      return pending.includes("max_connections") && warnings.includes(WAITS);
    });
    expect(await shown("max_connections")).toBe("100");
    const restart = await stage.cli("-c", a.file, "restart", "a", "--yes");
    expect(restart.exit, restart.err).toBe(0);
    expect(await a.answers("SELECT current_setting('max_connections')")).toBe("120");
  });

  test("is refused as a whole when it is not valid", async () => {
    const good = readFileSync(a.file, "utf8");
    a.writeText(good.replace("7MB", "8MB").replace("scope: stage", "scope: [stage"));
    a.signal("SIGHUP");
    await a.untilSaid("the file was not taken over, the settings from before stay");
    const over = await stage.cli("-c", a.file, "reload", "a");
    expect(over.exit).toBe(2);
    a.writeText(good);
    expect(await shown("work_mem")).toBe("7MB");
    await a.untilStatus("it goes on as before", ({ health }) => health === "degraded");
  });

  test("names what only a new agent would obey", async () => {
    a.change({ postgresql: { bin_dir: `${BIN_DIR}/` }, watchdog: { mode: "off" } });
    a.signal("SIGHUP");
    await a.untilSaid(/take effect when the agent is started again/);
    expect(a.said).toContain('"settings":["watchdog","postgresql"]');
  });
});

describe("a log of its own", () => {
  test("is written to, opened again after a rotation, and shown", async () => {
    expect(await a.stop()).toBe(0);
    const file = join(a.dir, "logs", "agent.log");
    a.change({ log: { file } });
    await a.startAndLead();
    expect(a.said).not.toContain("{");
    expect(readFileSync(file, "utf8")).toContain('"msg":"the agent starts"');
    renameSync(file, `${file}.1`);
    a.signal("SIGHUP");
    await until("the log goes on in a new file", () => {
      try {
        return readFileSync(file, "utf8").includes("the file was read again");
      } catch {
        return false;
      }
    });
    const { exit, out } = await stage.cli("-c", a.file, "logs", "a");
    expect([exit, out]).toMatchObject([0, /the file was read again/]);
    expect(readFileSync(`${file}.1`, "utf8")).toContain('"reason":"leading"');
  });
});

describe("a watchdog", () => {
  test("is fed while the lease is held, and told goodbye", async () => {
    expect(await a.stop()).toBe(0);
    const device = join(a.dir, "watchdog");
    writeFileSync(device, "");
    a.change({ watchdog: { mode: "automatic", device, driver: "testing" } });
    await a.startAndLead();
    await a.untilStatus("the watchdog is fed", ({ node }) => node.fence.watchdog === "armed");
    await until("it was written to", () => readFileSync(device).length > 0);
    expect(await a.stop()).toBe(0);
    expect(readFileSync(device, "latin1").at(-1)).toBe("V");
  });
});
