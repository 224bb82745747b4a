// How does the cluster look on one screen? A sentence first, then the numbers, then the members.
import pc from "picocolors";
import { printBytes, printSpan } from "../model/amounts.ts";
import { blockingText } from "../model/maintenance/blocking.ts";
import type { Health } from "../model/verdict.ts";
import type { StatusMember, StatusNode, StatusRouter } from "../model/wire/status.ts";
import type { MemberOverview, Overview } from "./overview.ts";
import { type Column, table } from "./table.ts";
import { wrap } from "./terminal.ts";

const MARKS: Readonly<Record<Health, string>> = {
  healthy: pc.green("●"),
  degraded: pc.yellow("▲"),
  critical: pc.red("■"),
  unknown: pc.magenta("?"),
};

/** At most `width` columns; every value has a unit or an age, and no cell is empty. */
export function statusScreen(overview: Overview, width: number): string {
  const { health, sentence, cluster, warnings, routers = [] } = overview;
  const lines = [`${MARKS[health]} ${wrap(`${health}: ${sentence}`, width - 2)}`];
  lines.push(pc.dim(wrap(headline(overview), width)));
  const { incident } = overview;
  if (incident !== undefined)
    lines.push(wrap(`${incident.title}, not acknowledged: incident show ${incident.id}`, width));
  lines.push(...blockingLine(overview, width));
  if (cluster.switchover !== undefined) lines.push(wrap(plannedIn(cluster.switchover), width));
  lines.push("", table(COLUMNS, overview.members, width));
  for (const member of overview.members) {
    lines.push(...jobLine(member, width), ...scheduledLine(member, width));
    lines.push(...tagLine(member, width));
  }
  if (routers.length > 0) lines.push("", table(ROUTER_COLUMNS, routers, width));
  if (warnings.length > 0) lines.push("");
  for (const warning of warnings) lines.push(pc.yellow(wrap(`! ${warning}`, width)));
  return lines.join("\n");
}

const nodeOf = ({ agent }: MemberOverview): StatusNode | undefined =>
  agent.answers ? agent.node : undefined;

function headline({ scope, cluster, members }: Overview): string {
  const leader = members.find(({ leads }) => leads);
  const node = leader === undefined ? undefined : nodeOf(leader);
  const version = members.map((m) => nodeOf(m)?.server.version).find((v) => v !== undefined);
  const answering = members.filter(({ agent }) => agent.answers).length;
  return [
    scope,
    version === undefined ? "PG ?" : `PG ${versionText(version)}`,
    `TL ${cluster.timeline ?? "?"}`,
    leaseText(node, cluster.ttlMs),
    `store ${cluster.ageMs === undefined ? "never read" : `${printSpan(cluster.ageMs)} ago`}`,
    `agents ${answering}/${members.length}`,
    ...(cluster.follows === undefined ? [] : [siteText(node)]),
    ...(cluster.paused ? ["paused"] : []),
  ].join(" · ");
}

/** How far this site is behind the other one, or was when that last answered. */
function siteText(node: StatusNode | undefined): string {
  const site = node?.site;
  if (site?.lagBytes === undefined) return "other site ?";
  const when = site.answers ? "" : ` when seen ${printSpan(site.seenAgoMs ?? 0)} ago`;
  return `${printBytes(site.lagBytes)} behind the other site${when}`;
}

function leaseText(node: StatusNode | undefined, ttlMs: number): string {
  const ttl = printSpan(ttlMs);
  return node?.lease === undefined
    ? `ttl ${ttl}`
    : `lease ${printSpan(node.lease.leftMs)} of ${ttl}`;
}

/** 150004 → 15.4 */
const versionText = (version: number): string =>
  `${Math.floor(version / 10_000)}.${version % 10_000}`;

/** One line, however many there are: `slo watch` has all of them, with what to do instead. */
function blockingLine({ blocking = [], members }: Overview, width: number): readonly string[] {
  const [worst] = blocking;
  if (worst === undefined) return [];
  const primary = members.find(({ leads }) => leads)?.name ?? "?";
  const more = blocking.length === 1 ? "" : ` (+${blocking.length - 1})`;
  const words = `${primary}: ${blockingText(worst)}${more}: slo watch`;
  return [pc.yellow(words.length <= width ? words : `${words.slice(0, width - 1)}…`)];
}

function plannedIn({ at, from, to }: NonNullable<Overview["cluster"]["switchover"]>): string {
  const whom = `${from === undefined ? "" : ` from ${from}`}${to === undefined ? "" : ` to ${to}`}`;
  return at === undefined ? `asked for: a change of leader${whom}` : `switchover${whom} at ${at}`;
}

function jobLine(member: MemberOverview, width: number): readonly string[] {
  const job = nodeOf(member)?.job;
  if (job === undefined) return [];
  const progress = job.progress === undefined ? "" : ` ${job.progress}`;
  return [wrap(`${member.name}: ${job.name}${progress}, for ${printSpan(job.forMs)}`, width)];
}

/** Tags change who may lead and who is copied from: whoever looks must see them. */
function tagLine({ name, tags }: MemberOverview, width: number): readonly string[] {
  const words = Object.entries(tags).map(([tag, value]) =>
    value === true ? tag : `${tag} ${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  return words.length === 0 ? [] : [pc.dim(wrap(`${name}: tagged ${words.join(", ")}`, width))];
}

const scheduledLine = ({ name, scheduledRestart }: MemberOverview, width: number) =>
  scheduledRestart === undefined
    ? []
    : [wrap(`${name}: a restart is scheduled for ${scheduledRestart}`, width)];

export const lagText = (member: Pick<MemberOverview, "leads" | "lagBytes">): string => {
  if (member.leads) return "n/a";
  return member.lagBytes === undefined ? "?" : printBytes(member.lagBytes);
};

export const stateText = ({ replicationState, state }: MemberOverview): string =>
  state === "running" ? (replicationState ?? state) : state;

function fenceText(member: MemberOverview): string {
  const fence = nodeOf(member)?.fence;
  if (fence === undefined) return "?";
  if (!fence.alive) return "silent";
  if (fence.unguarded === true) return "off";
  return fence.armed ? "armed" : "idle";
}

const agentText = ({ agent }: MemberOverview): string =>
  agent.answers ? `${agent.ms} ms` : "silent";

/** A silent agent's cells hold what it reported last, and must not be read as what is true now. */
const lastKnown =
  (cell: (member: MemberOverview) => string) =>
  (member: MemberOverview): string => {
    const text = cell(member);
    return member.agent.answers || text === "?" ? text : `~${text}`;
  };

/** Why it does what it does, and for how long. */
function whyText(member: MemberOverview): string {
  const because = nodeOf(member)?.because;
  if (because === undefined) return member.because ?? "?";
  return `${because.reason} ${printSpan(because.forMs)}`;
}

const COLUMNS: readonly Column<MemberOverview>[] = [
  { title: "MEMBER", cell: ({ name }) => name },
  { title: "ROLE", cell: lastKnown(partText) },
  { title: "STATE", cell: lastKnown(stateText) },
  { title: "TL", cell: lastKnown(({ timeline }) => String(timeline ?? "?")), right: true },
  { title: "LAG", cell: lastKnown(lagText), right: true },
  { title: "FENCE", cell: fenceText, leaves: 2 },
  { title: "AGENT", cell: agentText, right: true, leaves: 1 },
  { title: "WHY", cell: lastKnown(whyText), leaves: 3 },
];

const ROUTER_COLUMNS: readonly Column<StatusRouter>[] = [
  { title: "ROUTER", cell: ({ name }) => name },
  { title: "WRITES TO", cell: ({ primary }) => primary ?? "nobody" },
  { title: "TERM", cell: ({ term }) => String(term), right: true },
  { title: "ADDRESSES", cell: ({ addresses }) => addressesText(addresses), leaves: 2 },
  { title: "WHY", cell: ({ because }) => because, leaves: 1 },
];

/** `pgbouncer 10.0.0.9:6432, haproxy write 10.0.0.9:5000`. */
export const addressesText = (addresses: StatusRouter["addresses"]): string =>
  Object.entries(addresses)
    .map(([what, where]) => `${what} ${where}`)
    .join(", ") || "none";

/** A standby that commits rely on says so. */
function partText({ role, syncPart }: StatusMember): string {
  if (syncPart === undefined) return role;
  return syncPart === "quorum_standby" ? "quorum standby" : "sync standby";
}
