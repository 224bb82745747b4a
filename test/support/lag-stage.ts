// Lag as a person sees it: what every member of a lab answers, put together, and sessions that make trouble.
import pg from "pg";
import { callHttp } from "../../src/adapters/http/client.ts";
import { type LagRow, lagRows } from "../../src/cli/lag-cases.ts";
import type { LabMember, LabRecord } from "../../src/lab/record.ts";
import type { LagCause } from "../../src/model/lag/case.ts";
import type { StatusJson } from "../../src/model/wire/status.ts";
import { until } from "./until.ts";

async function ask<T>(member: LabMember, path: string): Promise<T> {
  const url = `${member.apiUrl}${path}`;
  const { status, body } = await callHttp({ method: "GET", url, timeoutMs: 3_000 });
  if (status !== 200) throw new Error(`${url} answers ${status}: ${body}`);
  return JSON.parse(body) as T;
}

/** Every standby with its diagnosis; whoever asks makes the agents look closely. */
export async function lagIn(lab: LabRecord): Promise<readonly LagRow[]> {
  const members = await Promise.all(
    lab.members.map(async (member) => {
      await ask(member, "/understudy/lag").catch(() => undefined);
      const status = await ask<StatusJson>(member, "/understudy/status").catch(() => undefined);
      const leads = status?.cluster.leader === member.name;
      const agent =
        status === undefined
          ? ({ answers: false, why: "silent" } as const)
          : ({ answers: true, ms: 0, node: status.node } as const);
      const { name, address: host, port } = member;
      return { name, host, port, leads, agent };
    }),
  );
  return lagRows(members);
}

/** Waits until the lag of a standby is explained by this cause; what was said instead is in the failure. */
export async function untilCause(
  lab: LabRecord,
  name: string,
  causes: LagCause | readonly LagCause[],
): Promise<LagRow> {
  const wanted = [causes].flat();
  let found: LagRow | undefined;
  let last = "nothing";
  try {
    await until(`${name} is ${wanted.join(" or ")}`, async () => {
      const row = (await lagIn(lab)).find((one) => one.name === name);
      last = JSON.stringify(row);
      if (row !== undefined && wanted.includes(row.diagnosis.cause)) found = row;
      return found !== undefined;
    });
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}; last ${last}`, {
      cause: error,
    });
  }
  if (found === undefined) throw new Error("unreachable");
  return found;
}

/** A superuser's session on one server of the lab. */
export async function sessionOn(lab: LabRecord, member: LabMember): Promise<pg.Client> {
  const client = new pg.Client({
    host: member.address,
    port: member.port,
    user: lab.user,
    password: lab.password,
    database: "postgres",
    application_name: "the test",
  });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}
