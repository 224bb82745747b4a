// A logical slot outlives its primary: the subscriber goes on without a gap when a host dies, and knows nothing of it.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { callHttp } from "../../src/adapters/http/client.ts";
import { superuser, waitForPrimary } from "../../src/lab/health.ts";
import { Session } from "../../src/lab/session.ts";
import type { StatusJson, StatusSlot } from "../../src/model/wire/status.ts";
import { heal, make, useLab } from "../support/lab.ts";
import { PostgresStage, type TestNode, until } from "../support/postgres-stage.ts";

const LIMIT_MS = 60_000;
const lab = useLab("logical", { ttlSeconds: 5, set: { wal_level: "logical" } });
let stage: PostgresStage;
let subscriber: TestNode;

beforeAll(async () => {
  stage = await PostgresStage.open();
  subscriber = await stage.node("subscriber");
  await subscriber.bootstrap();
});
afterAll(() => stage[Symbol.asyncDispose]());

/** One statement on whoever is the primary now. */
async function onPrimary(statement: string): Promise<void> {
  const { member } = await waitForPrimary(lab(), LIMIT_MS);
  const session = await Session.open(member, superuser(lab()));
  try {
    await session.query(statement);
  } finally {
    session.close();
  }
}

/** The slot as each member that answers shows it. */
async function slotOn(name: string): Promise<StatusSlot | undefined> {
  const apiUrl = lab().members.find((m) => m.name === name)?.apiUrl ?? "";
  const url = `${apiUrl}/understudy/status`;
  const { body } = await callHttp({ method: "GET", url, timeoutMs: 2_000 });
  return (JSON.parse(body) as StatusJson).node.slots.find((slot) => slot.name === "cdc");
}

const idsOn = async (): Promise<readonly unknown[]> =>
  (await subscriber.query("SELECT id FROM public.feed ORDER BY id")).map((row) => row["id"]);

it("a configured logical slot is copied, followed and safe on every standby", async () => {
  const { member } = await waitForPrimary(lab(), LIMIT_MS);
  const slots = { cdc: { type: "logical", database: "postgres", plugin: "pgoutput" } };
  const patched = await callHttp({
    method: "PATCH",
    url: `${lab().members[0]?.apiUrl}/config`,
    body: JSON.stringify({ slots }),
    timeoutMs: 5_000,
  });
  expect(patched.status).toBe(200);
  const standbys = lab().members.filter(({ name }) => name !== member.name);
  await until("every standby has a safe copy", async () => {
    const copies = await Promise.all(standbys.map(({ name }) => slotOn(name)));
    return copies.every((copy) => copy?.isSafe === true);
  });
});

it("a subscriber goes on without a gap when the primary's host dies", async () => {
  await onPrimary("CREATE TABLE public.feed (id int PRIMARY KEY)");
  await onPrimary("CREATE PUBLICATION feed FOR TABLE public.feed");
  await subscriber.query("CREATE TABLE public.feed (id int PRIMARY KEY)");
  const { members, user, password } = lab();
  const hosts = members.map(({ address }) => address).join();
  const ports = members.map(({ port }) => port).join();
  const conninfo = `host=${hosts} port=${ports} user=${user} password=${password} dbname=postgres target_session_attrs=read-write connect_timeout=3`;
  await subscriber.query(
    `CREATE SUBSCRIPTION feed CONNECTION '${conninfo}' PUBLICATION feed
     WITH (slot_name = 'cdc', create_slot = false, copy_data = false)`,
  );
  const acknowledged: number[] = [];
  const stop = new AbortController();
  const writing = write(acknowledged, stop.signal);
  const first = await waitForPrimary(lab(), LIMIT_MS);
  await until("rows arrive", async () => (await idsOn()).length > 20);
  await make(lab(), "kill-node", first.member.name);
  const next = await waitForPrimary(lab(), LIMIT_MS);
  expect(next.member.name).not.toBe(first.member.name);
  const before = acknowledged.length;
  await until("writes go on", () => acknowledged.length > before + 20);
  stop.abort();
  await writing;

  const session = await Session.open(next.member, superuser(lab()));
  const { rows } = await session.query("SELECT id FROM public.feed ORDER BY id");
  session.close();
  const published = rows.map(([id]) => id);
  await until("the subscriber has the last row", async () =>
    (await idsOn()).includes(published.at(-1)),
  );
  const arrived = new Set(await idsOn());
  expect(
    published.filter((id) => !arrived.has(id)),
    "rows that the subscriber never got",
  ).toEqual([]);
  await until("the new primary shows its reader", async () => {
    const slot = await slotOn(next.member.name);
    return slot?.active === true && slot.use === "permanent";
  });
  await heal(lab());
});

/** One row after the other until stopped; what was not acknowledged is not counted. */
async function write(acknowledged: number[], signal: AbortSignal): Promise<void> {
  let session: Session | undefined;
  for (let id = 1; !signal.aborted; id++) {
    try {
      if (session === undefined) {
        const { member } = await waitForPrimary(lab(), LIMIT_MS);
        session = await Session.open(member, superuser(lab()));
      }
      await session.query(`INSERT INTO public.feed VALUES (${id})`);
      acknowledged.push(id);
      await sleep(10);
    } catch {
      session?.close();
      session = undefined;
    }
  }
  session?.close();
}
