// What does a soak say at its end? A table by kind, and a verdict.
import { inSeconds } from "../report.ts";
import { middleAndWorst } from "../statistics.ts";
import type { RoundReport, SoakReport } from "./soak.ts";

/** One round in a line, as it ends. */
export function roundText(number: number, round: RoundReport): string {
  const { kind, node, forMs, failovers, pauseMs, lost, broken, refused } = round;
  const outcome = [
    `pause ${inSeconds(pauseMs)}`,
    ...(failovers === 0 ? [] : [failovers === 1 ? "failover" : `${failovers} failovers`]),
    ...(lost === 0 ? [] : [`${lost} rows lost`]),
    ...(refused === undefined ? [] : [`refused: ${refused}`]),
    ...broken.map((what) => `BROKEN: ${what}`),
  ];
  const head = `${String(number).padStart(4)}  ${kind} ${node} for ${inSeconds(forMs)}`;
  return `${head.padEnd(46)}  ${outcome.join(", ")}`;
}

/** Every promise that was broken. */
export const brokenIn = ({ rounds, brokenAtEnd }: SoakReport): readonly string[] => [
  ...rounds.flatMap(({ kind, broken }, index) =>
    broken.map((what) => `round ${index + 1}, ${kind}: ${what}`),
  ),
  ...brokenAtEnd,
];

/** The table, the verdict, and how to play it again. */
export function soakText(report: SoakReport, again: string): string {
  const { rounds, mode } = report;
  const kinds = [...new Set(rounds.map(({ kind }) => kind))].toSorted();
  const broken = brokenIn(report);
  const sum = (count: (round: RoundReport) => number): number =>
    rounds.reduce((total, round) => total + count(round), 0);
  const counts =
    `${rounds.length} faults, ${sum((r) => r.failovers)} failovers, ` +
    `${sum((r) => r.acknowledged)} rows acknowledged, ${sum((r) => r.lost)} lost`;
  return [
    "",
    "| fault | rounds | failovers | pause: median / worst | rows lost | broken promises |",
    "|---|---|---|---|---|---|",
    ...kinds.map((kind) =>
      kindLine(
        kind,
        rounds.filter((round) => round.kind === kind),
      ),
    ),
    "",
    ...broken.map((what) => `BROKEN  ${what}`),
    broken.length === 0
      ? `HELD: ${counts} (${excuse(mode)}), never two writers, always back`
      : `BROKEN: ${counts}; ${broken.length} broken promises`,
    `The same again: ${again}`,
  ].join("\n");
}

function kindLine(kind: string, rounds: readonly RoundReport[]): string {
  const sum = (count: (round: RoundReport) => number): number =>
    rounds.reduce((total, round) => total + count(round), 0);
  const pauses = middleAndWorst(rounds.map(({ pauseMs }) => pauseMs));
  const refused = rounds.filter((round) => round.refused !== undefined).length;
  const played = refused === 0 ? `${rounds.length}` : `${rounds.length} (${refused} refused)`;
  const [failovers, lost] = [sum((r) => r.failovers), sum((r) => r.lost)];
  const broken = sum((r) => r.broken.length);
  return `| ${kind} | ${played} | ${failovers} | ${pauses} | ${lost} | ${broken} |`;
}

const excuse = (mode: SoakReport["mode"]): string =>
  mode === "off" ? "only what asynchronous replication may lose" : `${mode}: none may be lost`;
