// The command for pools: who waits, on which router, and why.
import type { Command } from "commander";
import { printBytes, printSpan } from "../model/amounts.ts";
import { parseJson } from "../model/wire/json.ts";
import { type PoolRow, type PoolsJson, parsePools } from "../model/wire/pools.ts";
import type { StatusRouter } from "../model/wire/status.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { call, look } from "./rest.ts";
import { type Shared, targetOf } from "./shared.ts";
import { type Column, table } from "./table.ts";
import type { Target } from "./target.ts";
import { print, printJsonText, width, wrap } from "./terminal.ts";

const LOOK_MS = 3_000;

interface Row extends PoolRow {
  readonly router: string;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: "ROUTER", cell: ({ router }) => router },
  { title: "DATABASE", cell: ({ database }) => database },
  { title: "USER", cell: ({ user }) => user, leaves: 1 },
  { title: "LEADS TO", cell: ({ leadsTo, paused }) => (paused ? `${leadsTo} (paused)` : leadsTo) },
  { title: "CLIENTS", cell: ({ clientsActive }) => String(clientsActive), right: true },
  { title: "WAIT", cell: ({ clientsWaiting }) => String(clientsWaiting), right: true },
  {
    title: "LONGEST",
    cell: ({ clientsWaiting, longestWaitMs }) =>
      clientsWaiting === 0 ? "-" : printSpan(longestWaitMs),
    right: true,
    leaves: 2,
  },
  {
    title: "SERVERS",
    cell: ({ serversActive, serversIdle, size }) => `${serversActive}+${serversIdle}/${size}`,
    right: true,
  },
  { title: "MODE", cell: ({ mode }) => mode, leaves: 3 },
  { title: "PID", cell: ({ pid }) => String(pid), right: true, leaves: 4 },
];

interface Asked {
  readonly name: string;
  readonly pools: PoolsJson | undefined;
  readonly why: string;
}

async function showPools(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<Shared>();
  const target = targetOf(flags);
  const { routers: known = [] } = await look(target);
  const asked = await Promise.all(known.map((router) => ask(target, router)));
  const routers = asked.flatMap(({ pools }) => pools ?? []);
  const warnings = [
    ...routers.flatMap((one) => one.warnings.map((warning) => `${one.router}: ${warning}`)),
    ...asked.flatMap(({ name, pools, why }) => (pools === undefined ? [`${name}: ${why}`] : [])),
  ];
  if (routers.length === 0) {
    throw new CliFailure(EXIT.noSuchThing, "no router tells of its pools", ...warnings);
  }
  if (flags.json === true) {
    printJsonText({ apiVersion: "understudy/v1", kind: "PoolsList", warnings, items: routers });
    return;
  }
  print(screenOf(routers));
  for (const warning of warnings) print(wrap(`! ${warning}`, width()));
}

async function ask(target: Target, { name, apiUrl }: StatusRouter): Promise<Asked> {
  try {
    const url = `${apiUrl}/understudy/pools`;
    const { status, body } = await call(target, { method: "GET", url, timeoutMs: LOOK_MS });
    const pools = status === 200 ? parsePools(parseJson(body)) : undefined;
    return { name, pools, why: body.split("\n")[0] ?? "" };
  } catch (error) {
    return { name, pools: undefined, why: error instanceof Error ? error.message : String(error) };
  }
}

function screenOf(routers: readonly PoolsJson[]): string {
  const rows = routers.flatMap(({ router, items }) => items.map((item) => ({ ...item, router })));
  const processes = routers.flatMap(({ router, processes: all }) =>
    all.map(({ pid, version, clients, maxClients, memoryBytes }) => {
      const memory = memoryBytes === null ? "" : `, ${printBytes(memoryBytes)}`;
      return `${router}: PgBouncer ${version}, pid ${pid}, ${clients} of ${maxClients} clients${memory}`;
    }),
  );
  const pools = rows.length === 0 ? "no client has come yet" : table(COLUMNS, rows, width());
  return [pools, ...processes].join("\n");
}

export function registerPools(program: Command): void {
  program
    .command("pools")
    .description("every router's pools: clients, who waits and how long, connections in use")
    .option("--json", "for programs")
    .action(showPools);
}
