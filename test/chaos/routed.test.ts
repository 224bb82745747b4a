// Clients of a pooled address while the primary changes: planned, they see a pause; unplanned, only what was in flight.
import { appendFileSync } from "node:fs";
import pg from "pg";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { waitForHealthy, waitForPrimary } from "../../src/lab/health.ts";
import { requestSwitchover } from "../../src/lab/switchover.ts";
import { waitFor } from "../../src/lab/wait-until.ts";
import { Crowd } from "../support/crowd.ts";
import { heal, make, useLab } from "../support/lab.ts";

const LIMIT_MS = 60_000;
const CLIENTS = 20;
const SWITCHOVERS = 20;
const ATTEMPTS = 3;
const IS_LATE = /switchover_abandoned|does not answer|there is no primary now/;
/** A slow machine may take its time: nothing here is about speed. */
const ALL_LIMIT_MS = 600_000;

describe("behind a router", () => {
  const lab = useLab("routed", { routers: 1 });
  const door = (): string => {
    const dsn = lab().routers[0]?.pooled.write;
    if (dsn === undefined) throw new Error("the lab has a router");
    return dsn;
  };

  /** A busy machine is late with an answer or the last byte, or with its look at the primary: nobody loses anything, we ask again. */
  const switchOver = async (): Promise<void> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await requestSwitchover(lab());
      } catch (error) {
        if (attempt === ATTEMPTS || !IS_LATE.test(String(error))) throw error;
      }
      await waitForHealthy(lab(), LIMIT_MS);
    }
  };

  it("the router says where its clients go, and every member shows it", async () => {
    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    const [router] = lab().routers;
    if (router === undefined) throw new Error("the lab has a router");
    const ask = (path: string, method = "GET") => fetch(`${router.apiUrl}${path}`, { method });
    expect((await ask("/health")).status).toBe(200);
    expect((await ask("/liveness")).status).toBe(200);
    expect((await ask("/switchover", "POST")).status).toBe(501);
    expect((await ask("/nothing")).status).toBe(404);
    expect(await (await ask("/router")).json()).toMatchObject({
      kind: "Router",
      name: router.name,
      primary: member.name,
      pooler: { problems: [] },
      balancer: { problems: [] },
    });
    const metrics = await (await ask("/metrics")).text();
    expect(metrics).toContain("understudy_router_has_primary{");
    expect(metrics).toContain("understudy_pool_servers_active{");
    const shown = async (): Promise<boolean> => {
      const status = (await (await fetch(`${member.apiUrl}/understudy/status`)).json()) as {
        readonly routers?: readonly { readonly name: string; readonly primary?: string }[];
      };
      return status.routers?.[0]?.primary === member.name;
    };
    await waitFor("the members to show the router", shown, { limitMs: LIMIT_MS, everyMs: 100 });
  });

  it("a node with a server lets clients in as well, beside its ha loop", async () => {
    const { user, password } = lab();
    const [member] = lab().members;
    const [router] = lab().routers;
    if (member === undefined || router === undefined) throw new Error("the lab has both");
    const listen = `${member.address}:6432`;
    const more = {
      listen,
      auth: { file: router.usersFile },
      databases: { app: { route: "write" } },
    };
    appendFileSync(member.configFile, `\n${stringify({ router: { pgbouncer: more } })}`);
    await make(lab(), "restart-agent", member.name);
    await waitForHealthy(lab(), LIMIT_MS);
    const dsn = `postgresql://${user}:${password}@${listen}/app`;
    const letsIn = async (): Promise<boolean> => {
      const session = new pg.Client({ connectionString: dsn });
      session.on("error", () => undefined);
      const isIn = await session.connect().then(
        () => true,
        () => false,
      );
      await session.end().catch(() => undefined);
      return isIn;
    };
    await waitFor("the node to let clients in", letsIn, { limitMs: LIMIT_MS, everyMs: 200 });
    const crowd = await Crowd.gather(dsn, 2);
    await switchOver();
    await crowd.allServed(LIMIT_MS);
    await crowd.end();
    expect(crowd.errors).toEqual([]);
    await waitForHealthy(lab(), LIMIT_MS);
  });

  it("twenty switchovers in a row under load cost no client an error", {
    timeout: ALL_LIMIT_MS,
  }, async () => {
    const crowd = await Crowd.gather(door(), CLIENTS);
    for (let n = 0; n < SWITCHOVERS; n += 1) {
      await switchOver();
      await crowd.allServed(LIMIT_MS);
      await waitForHealthy(lab(), LIMIT_MS);
    }
    await crowd.end();
    expect(crowd.errors).toEqual([]);
  });

  it("when the primary dies its clients are served by the next one, at the same address", async () => {
    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    const crowd = await Crowd.gather(door(), CLIENTS);
    await crowd.allServed(LIMIT_MS);
    await make(lab(), "kill-node", member.name);
    await waitForPrimary(lab(), LIMIT_MS);
    await crowd.allServed(LIMIT_MS);
    await crowd.end();
    await heal(lab());
    await waitForHealthy(lab(), LIMIT_MS);
    expect((await waitForPrimary(lab(), LIMIT_MS)).member.name).not.toBe(member.name);
  });
});
