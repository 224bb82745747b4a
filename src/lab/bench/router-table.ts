// How are a router's figures printed? As Markdown tables for the reference page.
import type { LoadCost } from "../measure.ts";
import { PATHS } from "../routers.ts";
import { median, middleAndWorst } from "../statistics.ts";
import type { Machine } from "./machine.ts";
import type { ConnectionCosts } from "./router-costs.ts";
import { BEHIND, type Behind, type FaultTurn, type RouterFault } from "./router-faults.ts";
import { SCRIPTS, type Script, type ThroughputTurn } from "./router-throughput.ts";

export interface RouterResult {
  readonly machine: Machine;
  readonly faults: { readonly fault: RouterFault; readonly turns: readonly FaultTurn[] }[];
  costs: ConnectionCosts | undefined;
  readonly throughput: ThroughputTurn[];
  /** What could not be measured, and why. */
  readonly failures: string[];
}

const PROGRAMS: Readonly<Record<Behind, string>> = { pooled: "PgBouncer", balanced: "HAProxy" };

/** The whole result as Markdown. */
export function routerTables(result: RouterResult): string {
  const { machine, faults, costs, throughput, failures } = result;
  return [
    `${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}, Node ${machine.node}, PostgreSQL ${machine.postgres}.`,
    ...faultTable(faults),
    ...throughputTable(throughput),
    ...(costs === undefined ? [] : costTable(costs)),
    ...failures.map((failure) => `\nFAILED ${failure}`),
  ].join("\n");
}

function faultTable(faults: RouterResult["faults"]): readonly string[] {
  const measured = faults.filter(({ turns }) => turns.length > 0);
  if (measured.length === 0) return [];
  return [
    "",
    "| fault, way | runs | bound | pause: median / worst | beyond the direct one of the same run | errors in flight | never executed | rows lost |",
    "|---|---|---|---|---|---|---|---|",
    ...measured.flatMap(({ fault, turns }) => [
      costRow(
        `${fault.title}, direct`,
        "",
        turns.map(({ direct }) => ({ own: direct, direct })),
      ),
      ...BEHIND.map((way) => {
        const pairs = turns.map((turn) => ({ own: turn[way], direct: turn.direct }));
        return costRow(`${fault.title}, through ${PROGRAMS[way]}`, fault.bounds[way], pairs);
      }),
    ]),
  ];
}

interface Pair {
  readonly own: LoadCost;
  readonly direct: LoadCost;
}

function costRow(title: string, bound: string, pairs: readonly Pair[]): string {
  const own = pairs.map((pair) => pair.own);
  const beyond = pairs.map((pair) => pair.own.pauseMs - pair.direct.pauseMs);
  const inFlight = own.map(({ failed, refused }) => failed - refused);
  const refused = own.map((cost) => cost.refused);
  const lost = sum(own.map((cost) => cost.lost.length));
  const isDirect = pairs.every((pair) => pair.own === pair.direct);
  const difference = isDirect ? "" : middleAndWorst(beyond);
  return `| ${title} | ${own.length} | ${bound} | ${middleAndWorst(own.map(({ pauseMs }) => pauseMs))} | ${difference} | ${counts(inFlight)} | ${counts(refused)} | ${lost} |`;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

const counts = (numbers: readonly number[]): string =>
  `${Math.round(median(numbers))} / ${Math.max(...numbers)}`;

function throughputTable(turns: readonly ThroughputTurn[]): readonly string[] {
  if (turns.length === 0) return [];
  const row = (path: Behind, script: Script): string => {
    const own = turns.filter((turn) => turn.path === path && turn.script === script);
    const ratios = own.map(({ ours, byHand }) => ours / byHand);
    const [ours, byHand] = [sum(own.map((t) => t.ours)), sum(own.map((t) => t.byHand))];
    const perSecond = (total: number): string => Math.round(total / own.length).toString();
    return `| ${SCRIPTS[script]} through ${PROGRAMS[path]} | ${own.length} | ≥ 0.98 | ${perSecond(ours)} | ${perSecond(byHand)} | ${(ours / byHand).toFixed(3)} | ${median(ratios).toFixed(3)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}) |`;
  };
  return [
    "",
    "| transactions a second | turns | bound | ours | by hand | ratio | of a turn: median (range) |",
    "|---|---|---|---|---|---|---|",
    ...BEHIND.flatMap((path) => [row(path, "select"), row(path, "tpc-b")]),
  ];
}

function costTable({ connectMs, backendMb, many }: ConnectionCosts): readonly string[] {
  const { clients, served, servers, idleMb, busyMb, medianMs, longestMs } = many;
  const perClientKb = ((busyMb - idleMb) / clients) * 1024;
  return [
    "",
    "| what | figure |",
    "|---|---|",
    `| connect, one query, close: ${PATHS.join(" / ")} | ${PATHS.map((path) => `${connectMs[path].toFixed(1)} ms`).join(" / ")} |`,
    `| memory of its own: a backend that has read the catalog / a client of PgBouncer | ${backendMb.toFixed(1)} MB / ${perClientKb.toFixed(1)} kB |`,
    `| ${clients} clients on at most 20 server connections: served | ${served} (by ${servers} servers) |`,
    `| PgBouncer's resident memory: without / with them | ${idleMb.toFixed(1)} MB / ${busyMb.toFixed(1)} MB |`,
    `| all ask at once, from query to answer: median / longest | ${medianMs.toFixed(0)} ms / ${longestMs.toFixed(0)} ms |`,
  ];
}
