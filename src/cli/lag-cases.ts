// Which standbys are there, and what do both sides say about each? Put together from what every member answered.
import type { Diagnosis, LagCase, Look } from "../model/lag/case.ts";
import { diagnose } from "../model/lag/diagnosis.ts";
import { disagreements } from "../model/lag/disagreement.ts";
import type { LagReport, SentReport } from "../model/lag/report.ts";
import type { StatusNode } from "../model/wire/status.ts";

/** One standby, or another reader of the stream that is no member. */
export interface LagRow extends LagCase {
  /** Whom it gets its WAL from; undefined while it gets none. */
  readonly from: string | undefined;
  readonly isMember: boolean;
  readonly diagnosis: Diagnosis;
  readonly disagreements: readonly string[];
}

/** A member as far as its lag goes: what its own agent says, if it says anything. */
interface Member {
  readonly name: string;
  readonly leads: boolean;
  readonly host: string;
  readonly port: number;
  readonly agent:
    | { readonly answers: true; readonly node: Pick<StatusNode, "lag"> }
    | { readonly answers: false };
}

export const lagOf = ({ agent }: Pick<Member, "agent">): LagReport | undefined =>
  agent.answers ? agent.node.lag : undefined;

interface Sending {
  readonly from: string;
  readonly report: LagReport;
  readonly sent: SentReport;
}

/** Members that do not lead, then readers that are none; each with its diagnosis. */
export function lagRows(members: readonly Member[]): readonly LagRow[] {
  const sendings = members.flatMap((member): Sending[] => {
    const report = lagOf(member);
    return (report?.standbys ?? []).map((sent) => ({
      from: member.name,
      report: report as LagReport,
      sent,
    }));
  });
  const standbys = members.filter(({ leads }) => !leads);
  const strangers = sendings.filter(({ sent }) => !members.some(({ name }) => name === sent.name));
  return [
    ...standbys.map((member) => {
      const sending = sendings.find(({ sent }) => sent.name === member.name);
      const report = lagOf(member);
      const upstream = sending?.report ?? namedUpstream(members, report);
      return rowOf({ name: member.name, report, sending, upstream, isMember: true });
    }),
    ...strangers.map((sending) =>
      rowOf({
        name: sending.sent.name,
        report: undefined,
        sending,
        upstream: sending.report,
        isMember: false,
      }),
    ),
  ];
}

/** What the member says that the standby's own walreceiver names; a server that is no member of ours is not known. */
function namedUpstream(
  members: readonly Member[],
  report: LagReport | undefined,
): LagReport | undefined {
  const named = report?.own?.receiver?.upstream;
  const upstream = members.find(({ host, port }) => `${host}:${port}` === named);
  return upstream && lagOf(upstream);
}

function rowOf(of: {
  readonly name: string;
  readonly report: LagReport | undefined;
  readonly sending: Sending | undefined;
  readonly upstream: LagReport | undefined;
  readonly isMember: boolean;
}): LagRow {
  const { name, report, sending, upstream, isMember } = of;
  const one: LagCase = {
    name,
    sent: sending?.sent,
    own: report?.own,
    upstreamLook: upstream && lookOf(upstream),
    ownLook: report && lookOf(report),
    version: report?.version ?? sending?.report.version,
    walPerSecond: sending?.report.walPerSecond,
    stillMs: sending?.report.stillMs,
  };
  return {
    ...one,
    from: sending?.from,
    isMember,
    diagnosis: diagnose(one),
    disagreements: disagreements(one),
  };
}

const lookOf = ({ ageMs, steadyMs }: LagReport): Look => ({ ageMs, steadyMs });

/** What a person should know, one sentence each. A member whose agent is silent is reported as such elsewhere. */
export function lagWarnings(members: readonly Member[]): readonly string[] {
  const silent = members.filter(({ agent }) => !agent.answers).map(({ name }) => name);
  return lagRows(members)
    .filter(({ name, diagnosis }) => !silent.includes(name) && diagnosis.cause !== "unknown")
    .flatMap(({ diagnosis, disagreements: found }) => [
      ...(diagnosis.weight === "trouble" ? [diagnosis.sentence] : []),
      ...found,
    ]);
}
