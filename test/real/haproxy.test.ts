// A real HAProxy in front of small servers: who serves, who is cut, what a crash or a bad file changes.
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createBalancer } from "../../src/adapters/haproxy/balancer.ts";
import { livePids } from "../../src/adapters/haproxy/process.ts";
import { socketFile } from "../../src/adapters/haproxy/render.ts";
import { openRuntime } from "../../src/adapters/haproxy/runtime.ts";
import { createClock } from "../../src/adapters/system/clock.ts";
import { createLog } from "../../src/adapters/system/log.ts";
import type { Address } from "../../src/model/address.ts";
import { AppError } from "../../src/model/error.ts";
import type { RoutePlan } from "../../src/model/route.ts";
import type { HaproxySettings } from "../../src/model/router-settings.ts";
import type { TlsFiles } from "../../src/model/settings.ts";
import type { Balancer } from "../../src/ports/balancer.ts";
import { Client, StandIn } from "../support/balanced.ts";
import { makeCertificates } from "../support/etcd.ts";
import { freePorts } from "../support/free-port.ts";
import { until } from "../support/until.ts";

const never = new AbortController().signal;

describe("HAProxy, run for the user", () => {
  let dir = "";
  let settings: HaproxySettings;
  let write: Address;
  let read: Address;
  let report: Address;
  let members: readonly [StandIn, StandIn, StandIn];
  const balancers: Balancer[] = [];
  const clients: Client[] = [];

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "us-ha-"));
    const ports = await freePorts(4);
    const addresses = ports.map((port) => ({ host: "127.0.0.1", port }));
    let stats: Address;
    [write, read, report, stats] = addresses as [Address, Address, Address, Address];
    const balance = "roundrobin" as const;
    settings = { bin: "haproxy", dir, write, read, report, stats, balance, maxConn: 100 };
    members = [await StandIn.open("n1"), await StandIn.open("n2"), await StandIn.open("n3")];
    members[0].role = "primary";
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    for (const one of balancers.splice(0)) await one.stop(never);
    expect(livePids(dir)).toEqual([]);
    for (const member of members) await member.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const balancer = (change: Partial<HaproxySettings> = {}, tls?: TlsFiles): Balancer => {
    const one = createBalancer({
      settings: { ...settings, ...change },
      maxLagBytes: 16_777_216,
      maxReportLagBytes: 1_073_741_824,
      readsFromPrimary: false,
      tls,
      clock: createClock(),
      log: createLog({ level: "error", isTerminal: false, write: () => undefined }),
    });
    balancers.push(one);
    return one;
  };

  const plan = (more: Partial<RoutePlan> = {}): RoutePlan => {
    const standbys = [members[1].reads(), members[2].reads()];
    return { term: 5, write: members[0].target, reads: standbys, reports: standbys, ...more };
  };
  const switched = (): RoutePlan => {
    members[0].role = "standby";
    members[1].role = "primary";
    const standbys = [members[0].reads(), members[2].reads()];
    return plan({ term: 6, write: members[1].target, reads: standbys, reports: standbys });
  };

  async function enter(at: Address): Promise<Client> {
    const client = await Client.open(at);
    if (client === undefined) throw new Error(`nobody serves at ${at.port}`);
    clients.push(client);
    return client;
  }
  const namesAt = async (at: Address, count = 6): Promise<readonly string[]> => {
    const names: string[] = [];
    for (let i = 0; i < count; i++) names.push((await enter(at)).name);
    return [...new Set(names)].toSorted();
  };
  /** Clients of the write route, served or waiting, as HAProxy counts them. */
  const sessionsInside = async (): Promise<string | undefined> => {
    const runtime = await openRuntime(socketFile(dir), 2_000);
    const lines = (await runtime?.ask("show stat"))?.split("\n");
    runtime?.close();
    const [, , , , current] =
      lines?.find((line) => line.startsWith("write,FRONTEND,"))?.split(",") ?? [];
    return current;
  };
  const pidOf = async (one: Balancer): Promise<number> => (await one.look(never)).pid ?? 0;

  it("sends writes to the primary and shares reads and reports among the standbys", async () => {
    const one = balancer();
    expect(await one.ensure(plan(), never)).toEqual({ kind: "pointed" });
    expect(await namesAt(write)).toEqual(["n1"]);
    expect(await namesAt(read)).toEqual(["n2", "n3"]);
    expect(await namesAt(report)).toEqual(["n2", "n3"]);
    const look = await one.look(never);
    expect(look.version).toMatch(/^\d+\.\d+/);
    const up = look.servers.filter(({ route, state }) => route === "write" && state === "UP");
    expect(up).toMatchObject([{ name: "n1", sessions: 6 }]);
  });

  it("cuts sessions on the old primary at once and opens the new one", async () => {
    const one = balancer();
    await one.ensure(plan(), never);
    const [old, reader] = [await enter(write), await enter(read)];
    await one.ensure(switched(), never);
    await until("the old primary's session is cut", () => !old.isOpen);
    expect(await namesAt(write)).toEqual(["n2"]);
    expect(await namesAt(read)).toEqual(["n1", "n3"]);
    // Whatever the reader reads from, nobody has ended its session.
    expect(await reader.isServed()).toBe(true);
  });

  it("lets who comes in while the primary is gone wait, and the next one serve it", async () => {
    const one = balancer();
    await one.ensure(plan(), never);
    await members[0].close();
    const waiting = Client.open(write, 30_000);
    await until("the client is inside", async () => (await sessionsInside()) === "1");
    await one.ensure(switched(), never);
    const served = await waiting;
    expect(served?.name).toBe("n2");
    served?.close();
  });

  it("ends the sessions of a leader that leads no more, and who comes in waits for the next", async () => {
    const one = balancer();
    await one.ensure(plan(), never);
    const old = await enter(write);
    members[0].role = "standby";
    await one.wait(never);
    await until("the session is cut", () => !old.isOpen);
    // Its server runs, as one does that has come back as a standby.
    const waiting = Client.open(write, 30_000);
    await until("the client is inside", async () => (await sessionsInside()) === "1");
    await one.ensure(switched(), never);
    const served = await waiting;
    expect(served?.name).toBe("n2");
    served?.close();
    expect(await namesAt(write)).toEqual(["n2"]);
  });

  it("goes on to whoever takes writes by the checks alone when the agent is gone while they wait", async () => {
    const one = balancer();
    await one.ensure(plan(), never);
    await one.wait(never);
    one.close();
    members[0].role = "standby";
    members[2].role = "primary";
    const served = await Client.open(write, 30_000);
    expect(served?.name).toBe("n3");
    served?.close();
  });

  it("takes a standby that lags out of new reads and leaves its sessions alone", async () => {
    const one = balancer();
    await one.ensure(plan(), never);
    const readers = [await enter(read), await enter(read)];
    const lagging = plan({ reads: [members[1].reads("drain"), members[2].reads()] });
    await one.ensure(lagging, never);
    expect(await namesAt(read)).toEqual(["n3"]);
    for (const reader of readers) expect(await reader.isServed()).toBe(true);
    await one.ensure(plan(), never);
    expect(await namesAt(read)).toEqual(["n2", "n3"]);
  });

  it("keeps reports on their own standby, and calls the others when that one is down", async () => {
    const one = balancer();
    await one.ensure(plan({ reads: [members[1].reads()], reports: [members[2].reads()] }), never);
    expect(await namesAt(report)).toEqual(["n3"]);
    members[2].role = "gone";
    await until("the others stand in", async () => (await Client.open(report))?.name === "n2");
  });

  it("refuses a plan of an older term", async () => {
    const one = balancer();
    await one.ensure(switched(), never);
    expect(await one.ensure(plan(), never)).toEqual({ kind: "older", term: 6 });
    expect(await namesAt(write)).toEqual(["n2"]);
  });

  it("lets nobody in and cuts everybody when writes are closed, until the next plan", async () => {
    const one = balancer();
    await one.ensure(plan(), never);
    const writer = await enter(write);
    await one.closeWrites(never);
    await until("the writer is cut", () => !writer.isOpen);
    expect(await Client.open(write)).toBeUndefined();
    expect(await namesAt(read)).toEqual(["n2", "n3"]);
    await one.ensure(plan(), never);
    expect(await namesAt(write)).toEqual(["n1"]);
  });

  it("finds the next primary by its checks alone when the agent is gone", async () => {
    const one = balancer();
    await one.ensure(plan(), never);
    one.close();
    await members[0].close();
    members[1].role = "primary";
    const found = async (): Promise<boolean> => (await Client.open(write))?.name === "n2";
    await until("the checks have found n2", found);
    expect(await namesAt(write)).toEqual(["n2"]);
  });

  it("is taken over by the next agent with every session, and then obeys it", async () => {
    const first = balancer();
    await first.ensure(plan(), never);
    const writer = await enter(write);
    const pid = await pidOf(first);
    first.close();
    const second = balancer();
    await second.ensure(plan(), never);
    expect(await pidOf(second)).toBe(pid);
    expect(await writer.isServed()).toBe(true);
    await second.ensure(switched(), never);
    await until("the session is cut", () => !writer.isOpen);
  });

  it("changes its configuration without losing a session, and ends the elder with its primary", async () => {
    const first = balancer();
    await first.ensure(plan(), never);
    const writer = await enter(write);
    const pid = await pidOf(first);
    first.close();
    const second = balancer({ balance: "leastconn" });
    await second.ensure(plan(), never);
    expect(await pidOf(second)).not.toBe(pid);
    expect(await writer.isServed()).toBe(true);
    expect(await namesAt(write)).toEqual(["n1"]);
    await second.ensure(switched(), never);
    await until("the elder's session is cut too", () => !writer.isOpen);
    expect(livePids(dir)).toEqual([await pidOf(second)]);
  });

  it("comes back by itself after a crash, knowing everything again", async () => {
    const one = balancer();
    await one.ensure(plan(), never);
    process.kill(await pidOf(one), "SIGKILL");
    await until("somebody serves again", async () => (await Client.open(write))?.name === "n1");
    // It is told one server after another.
    const readers = (): Promise<readonly string[]> => namesAt(read).catch(() => []);
    await expect.poll(readers, { timeout: 30_000 }).toEqual(["n2", "n3"]);
  });

  it("is ended with what it is just being told, and nothing starts it again", async () => {
    const one = balancer();
    const told = one.ensure(plan(), never).catch((error: unknown) => error);
    await one.stop(never);
    await told;
    expect(livePids(dir)).toEqual([]);
    await expect(one.ensure(plan(), never)).rejects.toMatchObject({ code: "CANCELLED" });
  });

  it("pauses between starts of one that dies again and again, and says why it died", async () => {
    const dying = join(dir, "dying-haproxy");
    const script = [
      "#!/bin/sh",
      "case $1 in -v) echo 'HAProxy version 2.6.12' ;; -c) ;;",
      "*) echo 'it has no heart' >&2; exit 1 ;; esac",
    ];
    writeFileSync(dying, script.join("\n"));
    chmodSync(dying, 0o755);
    const one = balancer({ bin: dying });
    const whyNot = async (): Promise<string> => {
      const ended = await one.ensure(plan(), never).catch((error: unknown) => error);
      return ended instanceof AppError ? ended.why : "";
    };
    expect(await whyNot()).toContain("it has no heart");
    // The pauses grow, so sooner or later a try comes too soon.
    await until("a try is refused", async () => (await whyNot()).includes("next try in"));
    expect((await one.look(never)).problems).toHaveLength(1);
  });

  it("follows a member to another address without a reload", async () => {
    const one = balancer();
    await one.ensure(plan(), never);
    const pid = await pidOf(one);
    const moved = await StandIn.open("n2 moved");
    const standbys = [{ ...moved.reads(), name: "n2" }, members[2].reads()];
    await one.ensure(plan({ reads: standbys, reports: standbys }), never);
    expect(await namesAt(read)).toEqual(["n2 moved", "n3"]);
    expect(await pidOf(one)).toBe(pid);
    await moved.close();
  });

  it("shows its certificate to agents that ask for one; without it they answer nothing", async () => {
    const { ca, server, client } = await makeCertificates(dir);
    const [caText, cert, key] = [ca, server.cert, server.key].map((file) => readFileSync(file));
    const secure = await StandIn.open("n2", { ca: caText, cert, key });
    const only = plan({ reads: [secure.reads()], reports: [] });
    const first = balancer({}, { cafile: ca, certfile: client.cert, keyfile: client.key });
    await first.ensure(only, never);
    await until("a health check got through", () => secure.checked > 0);
    const pid = await pidOf(first);
    first.close();
    const second = balancer({}, { cafile: ca });
    await second.ensure(only, never);
    expect(await pidOf(second)).not.toBe(pid);
    await until("the checks have failed", async () => {
      const { servers } = await second.look(never);
      return servers.some(({ route, state }) => route === "read" && state === "DOWN");
    });
    await secure.close();
  });

  it("serves the statistics page", async () => {
    const one = balancer();
    await one.ensure(plan(), never);
    const { host = "", port = 0 } = settings.stats ?? {};
    const page = await fetch(`http://${host}:${port}/`);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain("write");
  });

  it("says which port is taken, and starts nothing", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => {
      taken.listen(read.port, read.host, resolve);
    });
    const attempt = balancer().ensure(plan(), never);
    await expect(attempt).rejects.toMatchObject({ code: "PORT_IN_USE", attempt: /\(read\)$/ });
    expect(livePids(dir)).toEqual([]);
    taken.close();
  });

  it("keeps the configuration that works when another is refused", async () => {
    const one = balancer();
    await one.ensure(plan(), never);
    const text = readFileSync(join(dir, "haproxy.cfg"), "utf8");
    const pid = await pidOf(one);
    one.close();
    const bad = balancer({ stats: { host: "not an address", port: 1 } });
    await expect(bad.ensure(plan(), never)).rejects.toMatchObject({ code: /NOT_POSSIBLE|HAPROXY/ });
    expect(readFileSync(join(dir, "haproxy.cfg"), "utf8")).toBe(text);
    expect(livePids(dir)).toEqual([pid]);
    expect(await namesAt(write)).toEqual(["n1"]);
  });

  it("refuses a missing program and one that is too old", async () => {
    const missing = balancer({ bin: join(dir, "nothing") });
    await expect(missing.ensure(plan(), never)).rejects.toMatchObject({ code: "PROGRAM_MISSING" });
    const old = join(dir, "old-haproxy");
    writeFileSync(old, "#!/bin/sh\necho 'HA-Proxy version 1.8.30 2021/04/12'\n");
    chmodSync(old, 0o755);
    const attempt = balancer({ bin: old }).ensure(plan(), never);
    await expect(attempt).rejects.toMatchObject({ code: "PROGRAM_TOO_OLD", why: /1\.8\.30/ });
  });
});
