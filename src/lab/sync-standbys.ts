// Which standbys do commits wait for now, by the word of the store and of the server?
import { AppError } from "../model/error.ts";
import type { Ms } from "../model/time.ts";
import { superuser, waitForPrimary } from "./health.ts";
import type { LabMember, LabRecord } from "./record.ts";
import { waitUntil } from "./wait-until.ts";
import { openWritable } from "./writable.ts";

const LOOK_MS: Ms = 1_000;
const STREAMING = `SELECT application_name FROM pg_stat_replication
  WHERE sync_state IN ('sync', 'quorum') AND state = 'streaming' ORDER BY application_name`;

/** Waits until `least` standbys stand for the commits, in the store and on the server alike; answers their names. */
export async function waitForSync(
  lab: LabRecord,
  limitMs: Ms,
  least = 1,
): Promise<readonly string[]> {
  const { member } = await waitForPrimary(lab, limitMs);
  const look = async (): Promise<readonly string[] | undefined> => {
    const [streaming, elected] = await Promise.all([onServer(lab, member), inStore(member)]);
    const both = streaming.filter((name) => elected.includes(name));
    return both.length >= least && both.length === elected.length ? both : undefined;
  };
  const ask = (): Promise<readonly string[] | undefined> => look().catch(() => undefined);
  return waitUntil(`${least} synchronous standbys`, ask, { limitMs, everyMs: 200 });
}

async function onServer(lab: LabRecord, member: LabMember): Promise<readonly string[]> {
  using session = await openWritable([member], superuser(lab));
  return (await session.query(STREAMING)).rows.map(([name]) => String(name));
}

/** Whom the key `sync` lets be elected besides the leader, as the agent of the primary tells it. */
async function inStore({ apiUrl, name }: LabMember): Promise<readonly string[]> {
  const response = await fetch(`${apiUrl}/cluster`, { signal: AbortSignal.timeout(LOOK_MS) });
  const answer = (await response.json()) as { members?: { name: string; role: string }[] };
  const { members } = answer;
  if (members === undefined) throw new AppError("PEER_UNREACHABLE", `ask ${name} for the cluster`);
  return members.filter(({ role }) => SYNC_ROLES.has(role)).map((member) => member.name);
}

const SYNC_ROLES: ReadonlySet<string> = new Set(["sync_standby", "quorum_standby"]);
