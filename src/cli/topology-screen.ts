// Who copies from whom? A tree with the leader at its root.
import pc from "picocolors";
import type { MemberOverview, Overview } from "./overview.ts";
import { addressesText, lagText, stateText } from "./status-screen.ts";

/** One line a member; those that belong nowhere hang below the root by themselves. */
export function topologyScreen({ scope, members, routers = [] }: Overview): string {
  const roots = members.filter((member) => upstreamOf(member, members) === undefined);
  const lines = roots.flatMap((root) => [describe(root), ...branches(root, members, "")]);
  const doors = routers.map(
    ({ name, primary, addresses }) =>
      `${pc.bold(name)}  router  writes to ${primary ?? "nobody"}  ${addressesText(addresses)}`,
  );
  return [pc.dim(scope), ...lines, ...doors].join("\n");
}

/** Where it says that it streams from; of a silent member, what its tag names; else the leader. */
function upstreamOf(
  member: MemberOverview,
  members: readonly MemberOverview[],
): MemberOverview | undefined {
  if (member.leads) return undefined;
  const named = member.tags["replicatefrom"];
  const upstream = member.agent.answers ? member.agent.node.server.upstream : undefined;
  const isAbove = ({ name, host, port }: MemberOverview): boolean =>
    upstream === undefined ? name === named : `${host}:${port}` === upstream;
  const other = members.find((above) => above.name !== member.name && isAbove(above));
  return other ?? members.find(({ leads }) => leads);
}

function branches(
  root: MemberOverview,
  members: readonly MemberOverview[],
  indent: string,
): readonly string[] {
  // Two members that name each other would make an endless tree.
  if (indent.length > 24) return [];
  const below = members.filter((member) => upstreamOf(member, members)?.name === root.name);
  return below.flatMap((member, index) => {
    const isLast = index === below.length - 1;
    const inner = `${indent}${isLast ? "   " : "│  "}`;
    return [
      `${indent}${isLast ? "└─ " : "├─ "}${describe(member)}`,
      ...branches(member, members, inner),
    ];
  });
}

function describe(member: MemberOverview): string {
  const parts = [
    pc.bold(member.name),
    member.role,
    stateText(member),
    ...(member.leads ? [] : [`${lagText(member)} behind`]),
    `timeline ${member.timeline ?? "?"}`,
    `${member.host}:${member.port}`,
  ];
  return parts.join("  ");
}
