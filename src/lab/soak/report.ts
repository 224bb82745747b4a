// What does a soak say at its end? A table by kind, and a verdict.
import { inSeconds } from "../report.ts";
import { middleAndWorst } from "../statistics.ts";
import type { RoundReport } from "./soak.ts";

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

/** Every promise that was broken in these rounds. */
export const brokenIn = (rounds: readonly RoundReport[]): readonly string[] =>
  rounds.flatMap(({ mode, kind, broken }, index) =>
    broken.map((what) => `round ${index + 1}, ${mode}, ${kind}: ${what}`),
  );

export interface SoakVerdict {
  readonly rounds: readonly RoundReport[];
  readonly broken: readonly string[];
  /** Failovers of each kind and mode that were asked for. */
  readonly wanted: number | undefined;
}

/** The table by mode and kind, the verdict, and how to play it again. */
export function soakText({ rounds, broken, wanted }: SoakVerdict, again: string): string {
  const heads = [...new Set(rounds.map(headOf))].toSorted();
  const groups = heads.map((head) => [head, rounds.filter((r) => headOf(r) === head)] as const);
  const counts =
    `${rounds.length} faults, ${sumOf(rounds, "failovers")} failovers, ` +
    `${sumOf(rounds, "acknowledged")} rows acknowledged, ${sumOf(rounds, "lost")} lost`;
  return [
    "",
    "| mode | fault | rounds | failovers | pause: median / worst | rows lost | broken promises |",
    "|---|---|---|---|---|---|---|",
    ...groups.map(([head, own]) => groupLine(head, own)),
    "",
    ...broken.map((what) => `BROKEN  ${what}`),
    broken.length === 0
      ? `HELD: ${counts} (${excuse(rounds)}), never two writers, always back`
      : `BROKEN: ${counts}; ${broken.length} broken promises`,
    ...missingText(groups, wanted),
    `The same again: ${again}`,
  ].join("\n");
}

const headOf = ({ mode, kind }: RoundReport): string => `${mode} | ${kind}`;

function groupLine(head: string, rounds: readonly RoundReport[]): string {
  const pauses = middleAndWorst(rounds.map(({ pauseMs }) => pauseMs));
  const refused = rounds.filter((round) => round.refused !== undefined).length;
  const played = refused === 0 ? `${rounds.length}` : `${rounds.length} (${refused} refused)`;
  const [failovers, lost] = [sumOf(rounds, "failovers"), sumOf(rounds, "lost")];
  const broken = rounds.flatMap((round) => round.broken).length;
  return `| ${head} | ${played} | ${failovers} | ${pauses} | ${lost} | ${broken} |`;
}

/** What a soak with a wish for so many failovers of each kind has still to play. */
function missingText(
  groups: readonly (readonly [string, readonly RoundReport[]])[],
  wanted: number | undefined,
): readonly string[] {
  if (wanted === undefined) return [];
  const few = groups.filter(([, rounds]) => sumOf(rounds, "failovers") < wanted);
  const missing = few.map(([head, rounds]) => `${head} ${sumOf(rounds, "failovers")}`);
  return missing.length === 0
    ? [`Every kind that was played has caused ${wanted} failovers or more`]
    : [`Fewer than ${wanted} failovers so far: ${missing.join(", ").replaceAll(" | ", " ")}`];
}

const sumOf = (
  rounds: readonly RoundReport[],
  count: "failovers" | "acknowledged" | "lost",
): number => rounds.reduce((sum, round) => sum + round[count], 0);

const excuse = (rounds: readonly RoundReport[]): string =>
  rounds.some(({ mode }) => mode === "off")
    ? "with mode off only what asynchronous replication may lose"
    : "none may be lost";
