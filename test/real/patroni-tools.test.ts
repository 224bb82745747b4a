// Do the tools that people already have work against a cluster of ours: patronictl, HAProxy, vip-manager?
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../support/agent.ts";
import { freePorts } from "../support/free-port.ts";
import { isRoot, useLab } from "../support/lab.ts";
import {
  type Answer,
  createPatronictl,
  findVipManager,
  haproxyConfig,
  runTool,
  startTool,
} from "../support/patroni-tools.ts";

const lab = useLab("tools", { routers: 0 });
const FAR_AWAY = "2099-01-01T00:00:00+00:00";
const VIP = "198.51.100.77";

let patronictl: ReturnType<typeof createPatronictl>;
const doors = { write: 0, read: 0 };
const stops: (() => Promise<void>)[] = [];

beforeAll(() => {
  patronictl = createPatronictl(lab());
});
afterAll(async () => {
  for (const stop of stops.toReversed()) await stop();
});

interface Row {
  readonly Member: string;
  readonly Role: string;
  readonly State: string;
  readonly TL?: number;
  readonly [column: string]: unknown;
}

async function list(...flags: readonly string[]): Promise<readonly Row[]> {
  const { code, text } = await patronictl("list", ["-f", "json", ...flags]);
  expect(code, text).toBe(0);
  return JSON.parse(text) as Row[];
}

const rolesOf = async () =>
  Object.fromEntries((await list()).map(({ Member, Role }) => [Member, Role]));
const rowOf = async (name: string) => (await list("-e")).find(({ Member }) => Member === name);
const apiOf = (name: string) => lab().members.find((m) => m.name === name)?.apiUrl ?? "";
const good = ({ code, text }: Answer): string => {
  expect(code, text).toBe(0);
  return text;
};

/** Three members, one leads as `leader` says, and everybody streams on one timeline. */
async function settled(leader: string): Promise<void> {
  await until(`${leader} leads and all follow`, async () => {
    const rows = await list();
    const timelines = new Set(rows.map(({ TL }) => TL));
    const follow = rows.filter(({ Role }) => Role === "Replica");
    const leads = rows.some(({ Member, Role }) => Member === leader && Role === "Leader");
    const run = rows.every(({ State }) => ["running", "streaming"].includes(State));
    return leads && run && follow.length === 2 && timelines.size === 1;
  });
}

/** Who answers at a port of the balancer; undefined when nobody does. */
async function servedBy(port: number): Promise<string | undefined> {
  const { user, password } = lab();
  const client = new pg.Client({
    ...{ host: "127.0.0.1", port, user, password, database: "postgres" },
    ...{ connectionTimeoutMillis: 2_000, query_timeout: 2_000 },
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ name: string }>(
      "SELECT current_setting('cluster_name') || ' ' || host(inet_server_addr()) AS name",
    );
    const address = rows[0]?.name.split(" ").at(-1);
    return lab().members.find((m) => m.address === address)?.name;
  } catch {
    return undefined;
  } finally {
    await client.end().catch(() => undefined);
  }
}

describe("patronictl looks", () => {
  it("list", async () => {
    await settled("n1");
    const rows = await list("-e");
    expect(rows.map(({ Member, Role }) => `${Member} ${Role}`)).toEqual([
      "n1 Leader",
      "n2 Replica",
      "n3 Replica",
    ]);
    expect(rows[1]).toMatchObject({ Cluster: lab().scope, TL: 1, "Lag in MB": 0 });
  });

  it("topology", async () => {
    expect(good(await patronictl("topology"))).toMatch(/\| n1 +\|.*\n\| \+ n2 +\|.*\n\| \+ n3 +\|/);
  });

  it("show-config, history, version and dsn", async () => {
    expect(good(await patronictl("show-config"))).toMatch(/^ttl: 10$/m);
    expect(good(await patronictl("history", ["-f", "json"]))).toContain("[]");
    expect(good(await patronictl("version"))).toMatch(/n1: Patroni \d+\.\d+\.\d+ PostgreSQL \d+/);
    const { address, port } = lab().members[0] ?? { address: "", port: 0 };
    expect(good(await patronictl("dsn"))).toContain(`host=${address} port=${port}`);
    expect(good(await patronictl("dsn", ["-r", "replica"]))).not.toContain(`host=${address} `);
  });

  it("query", async () => {
    const ask = async (role: string) =>
      good(
        await patronictl("query", [
          "-r",
          role,
          "-d",
          "postgres",
          "-c",
          "SELECT pg_is_in_recovery()",
        ]),
      );
    expect(await ask("primary")).toMatch(/^False$/m);
    expect(await ask("replica")).toMatch(/^True$/m);
  });
});

describe("the balancer and the address of others", () => {
  it("HAProxy finds the primary and its standbys by our health checks", async () => {
    [doors.write = 0, doors.read = 0] = await freePorts(2);
    const file = join(lab().dir, "haproxy.cfg");
    writeFileSync(file, haproxyConfig(lab(), doors));
    stops.push(await startTool("haproxy", ["-db", "-f", file], join(lab().dir, "haproxy.log")));
    await until("writes go to n1", async () => (await servedBy(doors.write)) === "n1");
    await until("reads are served", async () => (await servedBy(doors.read)) !== undefined);
    expect(["n2", "n3"]).toContain(await servedBy(doors.read));
  });

  it.skipIf(!isRoot)("vip-manager gives its address to the leader", async (context) => {
    const program = await findVipManager();
    if (program === undefined) context.skip("there is no vip-manager of version 2 or newer");
    for (const { name } of lab().members) await startVipManager(program ?? "", name);
    await until("somebody has the address", async () => (await withAddress()).length > 0);
    expect(await withAddress()).toEqual(["n1"]);
  });
});

const linkOf = (name: string): string => `usvip${process.pid % 100_000}${name}`;

/** Each member's host is a pair of links of its own here. */
async function startVipManager(program: string, name: string): Promise<void> {
  const link = linkOf(name);
  good(await runTool("ip", ["link", "add", link, "type", "veth", "peer", "name", `${link}p`]));
  stops.push(async () => void (await runTool("ip", ["link", "del", link])));
  for (const end of [link, `${link}p`]) good(await runTool("ip", ["link", "set", end, "up"]));
  const dir = join(lab().dir, "vip");
  mkdirSync(dir, { recursive: true });
  const options = {
    ...{ ip: VIP, netmask: "32", interface: link, "dcs-type": "etcd3" },
    "trigger-key": `/service/${lab().scope}/leader`,
    "trigger-value": name,
    "dcs-endpoints": lab()
      .etcd.map(({ clientUrl }) => clientUrl)
      .join(","),
  };
  const args = Object.entries(options).flatMap(([flag, value]) => [`--${flag}`, value]);
  stops.push(await startTool(program, args, join(dir, `${name}.log`)));
}

async function withAddress(): Promise<readonly string[]> {
  const { text } = await runTool("ip", ["-br", "address"]);
  const lines = text.split("\n").filter((line) => line.includes(VIP));
  return lab()
    .members.map(({ name }) => name)
    .filter((name) => lines.some((line) => line.startsWith(linkOf(name))));
}

describe("patronictl changes", () => {
  it("edit-config", async () => {
    const changed = await patronictl("edit-config", [
      ...["-s", "maximum_lag_on_failover=2097152", "-p", "work_mem=8MB", "--force"],
    ]);
    expect(good(changed)).toContain("Configuration changed");
    const shown = good(await patronictl("show-config"));
    expect(shown).toMatch(/^maximum_lag_on_failover: 2097152$/m);
    await until("the server has it", async () => {
      const asked = await patronictl("query", [
        ...["-r", "primary", "-d", "postgres", "-c", "SHOW work_mem"],
      ]);
      return asked.text.includes("8MB");
    });
  });

  it("reload", async () => {
    const told = good(await patronictl("reload", ["--force"]));
    expect(told.match(/Reload request received for member n[123]/g)).toHaveLength(3);
  });

  it("restart, now and later, and flush", async () => {
    expect(good(await patronictl("restart", ["n2", "--force"]))).toContain(
      "Success: restart on member n2",
    );
    const later = await patronictl("restart", ["n1", "--scheduled", FAR_AWAY, "--force"]);
    expect(good(later)).toContain("Success: restart scheduled on member n1");
    await until("the list shows it", async () => {
      return (await rowOf("n1"))?.["Scheduled restart"] === FAR_AWAY;
    });
    expect(good(await patronictl("flush", ["n1", "restart", "--force"]))).toMatch(
      /Success: flush scheduled restart/,
    );
  });

  it("reinit, and waits for its end", async () => {
    await settled("n1");
    const told = good(await patronictl("reinit", ["n3", "--force", "--wait"]));
    expect(told).toContain("Success: reinitialize for member n3");
    expect(told).toContain("Reinitialize is completed on: n3");
    await settled("n1");
  });

  it("pause and resume, and waits for all members", async () => {
    expect(good(await patronictl("pause", ["--wait"]))).toContain(
      "Success: cluster management is paused",
    );
    expect(good(await patronictl("list"))).toContain("Maintenance mode: on");
    expect(good(await patronictl("resume", ["--wait"]))).toContain(
      "Success: cluster management is resumed",
    );
  });

  it("switchover: clients behind HAProxy and the virtual address go along", async () => {
    await settled("n1");
    const told = await patronictl("switchover", [...["--candidate", "n2", "--force"]]);
    expect(good(told)).toContain('Successfully switched over to "n2"');
    await settled("n2");
    await until("writes go to n2", async () => (await servedBy(doors.write)) === "n2");
    const managed = (await withAddress()).length > 0;
    if (managed)
      await until("n2 has the address", async () => (await withAddress()).join() === "n2");
  });

  it("switchover later, and flush", async () => {
    const wish = ["--candidate", "n3", "--scheduled", FAR_AWAY, "--force"];
    expect(good(await patronictl("switchover", wish))).toContain("Switchover scheduled");
    const shown = good(await patronictl("list"));
    expect(shown).toContain(`Switchover scheduled at: ${FAR_AWAY}`);
    const taken = good(await patronictl("flush", ["switchover", "--force"]));
    expect(taken).toContain("Success: scheduled switchover deleted");
  });

  it("failover", async () => {
    const told = good(await patronictl("failover", ["--candidate", "n3", "--force"]));
    expect(told).toContain('"n3"');
    await settled("n3");
    const rows = good(await patronictl("history", ["-f", "json"]));
    expect(JSON.parse(rows)).toMatchObject([{ "New Leader": "n2" }, { "New Leader": "n3" }]);
    expect(await rolesOf()).toEqual({ n1: "Replica", n2: "Replica", n3: "Leader" });
  });

  it("gets our refusal in our words, and nothing changes", async () => {
    const told = await patronictl("switchover", ["--candidate", "n3", "--force"]);
    expect(told.text).toMatch(/target and source are the same|already the leader/i);
    expect(await rolesOf()).toMatchObject({ n3: "Leader" });
  });

  it("remove: the keys go, and no agent makes a new cluster of the old data", async () => {
    const typed = `${lab().scope}\nYes I am aware\nn3\n`;
    good(await patronictl("remove", [], typed));
    await until("n3 says that the store is empty", async () => {
      const answer = await fetch(`${apiOf("n3")}/understudy/status`);
      return (await answer.text()).includes('"store_empty"');
    });
    expect(await list()).not.toContainEqual(expect.objectContaining({ Role: "Leader" }));
  });
});
