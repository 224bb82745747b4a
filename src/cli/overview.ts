// What does the whole cluster look like, when every member has been asked?
import { printBytes } from "../model/amounts.ts";
import type { Blocking } from "../model/maintenance/blocking.ts";
import type { Health } from "../model/verdict.ts";
import type { StatusJson, StatusMember, StatusNode } from "../model/wire/status.ts";
import { EXIT, type ExitCode } from "./exit.ts";
import { lagWarnings } from "./lag-cases.ts";
import { call, listIn, look, statusOf } from "./rest.ts";
import type { Target } from "./target.ts";

/** So little room left that a failure to write is its most likely consequence. */
const FULL_BYTES = 16 * 1024 * 1024;
/** Looking for maintenance is an extra: nobody waits for it longer. */
const BLOCKING_MS = 500;

/** A member as the store shows it, with what its own agent says. */
export interface MemberOverview extends StatusMember {
  readonly agent:
    | { readonly answers: true; readonly ms: number; readonly node: StatusNode }
    | { readonly answers: false; readonly why: string };
}

export interface Overview extends Omit<StatusJson, "members" | "node"> {
  readonly members: readonly MemberOverview[];
  /** Maintenance on the primary that keeps clients waiting; undefined where nobody could say in time. */
  readonly blocking?: readonly Blocking[];
}

/** Asks one member for the cluster, then every member for itself and the primary for its clients, all at the same time. */
export async function overviewOf(target: Target): Promise<Overview> {
  const status = await look(target);
  const [members, blocking] = await Promise.all([
    Promise.all(status.members.map((member) => askOne(target, member))),
    blockingIn(target, status),
  ]);
  const silent = members.filter(({ agent }) => !agent.answers).map(({ name }) => name);
  const fences = members.flatMap(({ name, agent }) =>
    agent.answers && !agent.node.fence.alive ? [`${name}: its fence does not answer`] : [],
  );
  const stale = members.flatMap(({ name, agent }) =>
    agent.answers && agent.node.server.binariesChanged
      ? [`${name}: newer server programs are installed, restart PostgreSQL`]
      : [],
  );
  const full = members.flatMap(({ name, agent }) => {
    const free = agent.answers ? agent.node.server.diskFreeBytes : undefined;
    return free !== undefined && free < FULL_BYTES
      ? [`${name}: its disk is full, ${printBytes(free)} are left: free space beside the data`]
      : [];
  });
  const slots = members.flatMap(({ name, agent }) =>
    agent.answers ? agent.node.slotWarnings.map((warning) => `${name}: ${warning}`) : [],
  );
  const wal = members.flatMap(({ name, agent }) =>
    agent.answers ? (agent.node.wal?.warnings ?? []).map((words) => `${name}: ${words}`) : [],
  );
  const lag = lagWarnings(members);
  const { node: _, ...rest } = status;
  const warnings = [
    ...silent.map((name) => `${name}: its agent does not answer; ~ marks what it said last`),
    ...fences,
    ...full,
    ...vaultWarningsOf(members),
    ...scheduleWarningsOf(members),
    ...status.warnings,
    ...wal,
    ...lag,
    ...slots,
    ...stale,
  ];
  const isWorse = status.health === "healthy" && warnings.length > 0;
  return {
    ...rest,
    warnings,
    members,
    ...(blocking === undefined ? {} : { blocking }),
    health: isWorse ? "degraded" : status.health,
  };
}

/** It opens a session for us: a server that has none left keeps no screen waiting. */
async function blockingIn(target: Target, { members }: StatusJson) {
  const primary = members.find(({ leads }) => leads);
  if (primary === undefined) return undefined;
  const url = `${primary.apiUrl}/understudy/maintenance/blocking`;
  const asked = call(target, { method: "GET", url, timeoutMs: BLOCKING_MS });
  const told = listIn(await asked.catch(() => NO_ANSWER));
  return told?.items as readonly Blocking[] | undefined;
}

const NO_ANSWER = { status: 0, body: "" };

/** What all workers see of one repository is said once. */
export function vaultWarningsOf(members: readonly MemberOverview[]): readonly string[] {
  const by = new Map<string, string[]>();
  for (const { name, agent } of members) {
    for (const warning of agent.answers ? (agent.node.vault?.warnings ?? []) : [])
      by.set(warning, [...(by.get(warning) ?? []), name]);
  }
  return [...by].map(([warning, names]) => `${names.join(", ")}: ${warning}`);
}

/** Every node knows of the same record. */
const scheduleWarningsOf = (members: readonly MemberOverview[]): readonly string[] => [
  ...new Set(
    members.flatMap(({ agent }) => (agent.answers ? (agent.node.scheduleWarnings ?? []) : [])),
  ),
];

async function askOne(target: Target, member: StatusMember): Promise<MemberOverview> {
  const askedAt = Date.now();
  try {
    const { node } = await statusOf(target, member.apiUrl);
    return { ...member, agent: { answers: true, ms: Date.now() - askedAt, node } };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { ...member, agent: { answers: false, why } };
  }
}

const EXIT_OF_HEALTH: Readonly<Record<Health, ExitCode>> = {
  healthy: EXIT.ok,
  degraded: EXIT.degraded,
  critical: EXIT.critical,
  unknown: EXIT.unreachable,
};

export const exitOfHealth = (health: Health): ExitCode => EXIT_OF_HEALTH[health];
