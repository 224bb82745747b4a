// What does it cost the applications when Patroni's agents are replaced by ours under them, and when they come back?
import type { Ms } from "../../model/time.ts";
import { belongingsOf } from "../belongings.ts";
import { superuser, waitForHealthy, waitForPrimary } from "../health.ts";
import { type Measurement, measure } from "../measure.ts";
import { startAgent } from "../nodes.ts";
import { patroniOf, startPatroni, stopPatroni } from "../patroni.ts";
import { signalProcess } from "../processes.ts";
import type { LabMember, LabRecord } from "../record.ts";
import { Session } from "../session.ts";
import { requestSwitchover } from "../switchover.ts";
import { waitFor } from "../wait-until.ts";

const STEP_LIMIT_MS: Ms = 120_000;

/** How an agent of one kind takes the place of the other kind's on a node. */
interface Way {
  readonly isThere: (lab: LabRecord, member: LabMember) => boolean;
  readonly replace: (lab: LabRecord, member: LabMember) => Promise<void>;
}

const toOurs: Way = {
  isThere: (lab, member) => oursOf(lab, member).some(({ role }) => role === "agent"),
  replace: async (lab, member) => {
    await stopPatroni(member);
    await startAgent(lab, member);
  },
};

const toPatroni: Way = {
  isThere: (_, member) => patroniOf(member) !== undefined,
  replace: async (lab, member) => {
    await stopOurs(lab, member);
    await startPatroni(member);
  },
};

/** Everything of ours on a node: agent, fence, and the server below them. */
const oursOf = (lab: LabRecord, { name }: LabMember) =>
  belongingsOf(lab, name).filter(({ role }) => role !== "etcd");

/** As an init system would. */
export async function stopOurs(lab: LabRecord, member: LabMember): Promise<void> {
  for (const { process, role } of oursOf(lab, member))
    if (role === "agent") signalProcess(process, "SIGTERM");
  await waitFor(
    `nothing of ours to run on ${member.name}`,
    () => oursOf(lab, member).length === 0,
    {
      limitMs: STEP_LIMIT_MS,
    },
  );
}

/** As the how-to page says: the standbys, one switchover, the former leader. Nothing to do where it is done. */
async function replaceAll(lab: LabRecord, way: Way): Promise<void> {
  const { member: leader } = await waitForPrimary(lab, STEP_LIMIT_MS);
  const missing = lab.members.filter((member) => !way.isThere(lab, member));
  for (const member of missing.filter(({ name }) => name !== leader.name)) {
    await way.replace(lab, member);
    await waitForHealthy(lab, STEP_LIMIT_MS);
  }
  if (!missing.some(({ name }) => name === leader.name)) return;
  if (patroniOf(leader) !== undefined) await checkpoint(lab, leader);
  const heir = lab.members.find(({ name }) => name !== leader.name);
  await requestSwitchover(lab, heir?.name);
  await waitForHealthy(lab, STEP_LIMIT_MS);
  await way.replace(lab, leader);
  await waitForHealthy(lab, STEP_LIMIT_MS);
}

/** Patroni's own checkpoint, which comes before its stop, finds little to do then, and little has become dirty meanwhile. */
async function checkpoint(lab: LabRecord, member: LabMember): Promise<void> {
  using session = await Session.open(member, superuser(lab));
  await session.query("CHECKPOINT");
}

const measured =
  (from: Way, to: Way) =>
  async (lab: LabRecord): Promise<Measurement> => {
    await replaceAll(lab, from);
    return measure(lab, { fault: () => replaceAll(lab, to), watchMs: 0 });
  };

/** A whole take-over under the usual load: the longest pause of all its steps. */
export const takeOver = measured(toPatroni, toOurs);
export const wayBack = measured(toOurs, toPatroni);
