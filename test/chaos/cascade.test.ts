// A standby streams from another one, from the primary while that one is gone, and from it again when it is back.
import { appendFileSync } from "node:fs";
import { expect, it } from "vitest";
import { callHttp } from "../../src/adapters/http/client.ts";
import { waitForPrimary } from "../../src/lab/health.ts";
import type { LabMember } from "../../src/lab/record.ts";
import type { StatusJson } from "../../src/model/wire/status.ts";
import { heal, make, useLab } from "../support/lab.ts";
import { until } from "../support/postgres-stage.ts";

const LIMIT_MS = 60_000;
const lab = useLab("cascade", { ttlSeconds: 5 });

async function statusOf(member: LabMember): Promise<StatusJson> {
  const url = `${member.apiUrl}/understudy/status`;
  const { body } = await callHttp({ method: "GET", url, timeoutMs: 2_000 });
  return JSON.parse(body) as StatusJson;
}

/**
 * Whether `below` is pointed at `above`, and `above` is really sending: its slot there is being read. The pointer alone
 * changes before the first byte comes.
 */
async function isFedBy(below: LabMember, above: LabMember): Promise<boolean> {
  const [down, up] = await Promise.all([statusOf(below), statusOf(above)]);
  const slot = up.node.slots.find(({ name }) => name === below.name);
  const address = `${above.clusterAddress}:${above.port}`;
  return down.node.server.upstream === address && slot?.active === true;
}

it("a standby follows its tag, falls back and returns, with its lag shown all the time", async () => {
  const { member: primary } = await waitForPrimary(lab(), LIMIT_MS);
  const [above, below] = lab().members.filter(({ name }) => name !== primary.name);
  if (above === undefined || below === undefined) throw new Error("there are no two standbys");
  const home = lab().members.find(({ name }) => name === primary.name)!;
  appendFileSync(below.configFile, `tags:\n  replicatefrom: ${above.name}\n`);
  const url = `${below.apiUrl}/reload`;
  expect((await callHttp({ method: "POST", url, timeoutMs: 5_000 })).status).toBe(202);
  await until("the tag is followed", () => isFedBy(below, above));
  const shown = (await statusOf(home)).members.find(({ name }) => name === below.name);
  expect(shown?.lagBytes).toBeTypeOf("number");

  await make(lab(), "kill-node", above.name);
  await until("the primary feeds it", () => isFedBy(below, home));
  await heal(lab());
  await until("it is fed by the other standby again", () => isFedBy(below, above));
});
