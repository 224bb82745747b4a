// Is the lab's cluster what it should be: one writable primary, and every other member streaming, in cascades too?
import type { Ms } from "../model/time.ts";
import { RECEIVER_NAME } from "../model/vault-state.ts";
import type { LabMember, LabRecord } from "./record.ts";
import { Session, type SessionOptions } from "./session.ts";
import { waitFor, waitUntil } from "./wait-until.ts";

export interface MemberHealth {
  readonly member: LabMember;
  readonly role: "primary" | "standby" | "down";
  readonly timeline: number | undefined;
  /** How many standbys stream from this member. */
  readonly streaming: number;
  readonly why: string;
}

const LOOK = { connectMs: 1000, statementMs: 1000 } as const;
/** WAL file names begin with the timeline; a standby knows its own from the control file. */
const HEALTH = `SELECT pg_is_in_recovery(),
  CASE WHEN pg_is_in_recovery() THEN (SELECT timeline_id FROM pg_control_checkpoint())
    ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int END,
  (SELECT count(*)::int FROM pg_stat_replication
    WHERE state = 'streaming' AND application_name NOT IN ('pg_basebackup', '${RECEIVER_NAME}'))`;

export const superuser = (lab: LabRecord): SessionOptions => ({
  user: lab.user,
  password: lab.password,
  ...LOOK,
});

/** Asks every member's server directly. */
export const healthOf = (lab: LabRecord): Promise<readonly MemberHealth[]> =>
  Promise.all(lab.members.map((member) => memberHealth(lab, member)));

async function memberHealth(lab: LabRecord, member: LabMember): Promise<MemberHealth> {
  try {
    using session = await Session.open(member, superuser(lab));
    const [row = []] = (await session.query(HEALTH)).rows;
    const role = row[0] === true ? "standby" : "primary";
    return { member, role, timeline: Number(row[1]), streaming: Number(row[2]), why: "" };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { member, role: "down", timeline: undefined, streaming: 0, why };
  }
}

/** The members that call themselves primary; more than one is the thing that must never be. */
export const primariesIn = (health: readonly MemberHealth[]): readonly MemberHealth[] =>
  health.filter(({ role }) => role === "primary");

/** The one primary there is now, or undefined. */
export async function primaryOf(lab: LabRecord): Promise<MemberHealth | undefined> {
  const primaries = primariesIn(await healthOf(lab));
  return primaries.length === 1 ? primaries[0] : undefined;
}

/** For people: what the members last said. */
export const describeHealth = (health: readonly MemberHealth[]): string =>
  health
    .map(({ member, role, streaming, why }) => {
      const more = role === "primary" ? ` (${streaming} streaming)` : why && ` (${why})`;
      return `${member.name} ${role}${more}`;
    })
    .join(", ");

export const waitForPrimary = (lab: LabRecord, limitMs: Ms): Promise<MemberHealth> =>
  waitUntil("a writable primary", () => primaryOf(lab), {
    limitMs,
    everyMs: 200,
    why: () => `read ${lab.members.map((m) => m.log).join(", ")}`,
  });

/** Waits until so many members of a lab that follows another one serve reads, each but one fed by another. */
export async function waitForStandbys(lab: LabRecord, many: number, limitMs: Ms): Promise<void> {
  let seen = "";
  const look = async (): Promise<boolean> => {
    const health = await healthOf(lab);
    seen = describeHealth(health);
    const serving = health.filter(({ role }) => role === "standby").length;
    return serving >= many && health.reduce((sum, { streaming }) => sum + streaming, 0) >= many - 1;
  };
  const why = (): string => `${seen}; read ${lab.members.map((m) => m.log).join(", ")}`;
  await waitFor(`${many} standbys`, look, { limitMs, everyMs: 400, why });
}

/** Waits for one primary and all the others streaming; `standbys` lowers the demand when some are dead. */
export async function waitForHealthy(
  lab: LabRecord,
  limitMs: Ms,
  standbys = lab.members.length - 1,
): Promise<void> {
  let seen = "";
  const look = async (): Promise<boolean> => {
    const health = await healthOf(lab);
    seen = describeHealth(health);
    const primaries = primariesIn(health);
    // A clone in progress streams too, so the standbys themselves are asked as well.
    const answering = health.filter(({ role }) => role === "standby").length;
    const streaming = health.reduce((sum, member) => sum + member.streaming, 0);
    const isFed = standbys === 0 || (primaries[0]?.streaming ?? 0) > 0;
    return primaries.length === 1 && isFed && Math.min(streaming, answering) >= standbys;
  };
  const why = (): string => `${seen}; read ${lab.members.map((m) => m.log).join(", ")}`;
  await waitFor(`a primary with ${standbys} streaming standbys`, look, {
    limitMs,
    everyMs: 400,
    why,
  });
}

/** Waits until every agent says what the servers already are, so that everybody's first look is a good one. */
export async function waitForAgreement(lab: LabRecord, limitMs: Ms): Promise<void> {
  const look = async (): Promise<boolean> => {
    const said = await Promise.all(lab.members.map(healthSaidBy));
    return said.every((health) => health === "healthy");
  };
  const why = (): string => `read ${lab.members.map((m) => m.log).join(", ")}`;
  await waitFor("every agent to report a healthy cluster", look, { limitMs, everyMs: 200, why });
}

/** The verdict of one agent, as `understudy status` would show it. */
async function healthSaidBy({ apiUrl }: LabMember): Promise<string | undefined> {
  try {
    const signal = AbortSignal.timeout(LOOK.connectMs);
    const answer = await fetch(`${apiUrl}/understudy/status`, { signal });
    return ((await answer.json()) as { health?: string }).health;
  } catch {
    return undefined;
  }
}
