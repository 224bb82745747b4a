// What do PgBouncer and HAProxy cost and save, run by us? Beside the direct way, and beside the same programs set up by hand.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { EXIT_WARNING } from "../commands.ts";
import { inSeconds } from "../report.ts";
import { EXIT_INTERRUPTED, labLeft, stopSignal } from "../stopping.ts";
import type { LabNeeds } from "./cases.ts";
import { describeMachine } from "./machine.ts";
import { connectionCosts } from "./router-costs.ts";
import { type FaultTurn, faultTurn, ROUTER_FAULTS, type RouterFault } from "./router-faults.ts";
import { type RouterResult, routerTables } from "./router-table.ts";
import { Throughput } from "./router-throughput.ts";
import { BENCH_LAB, openStand, type Stand, say } from "./stand.ts";

export const ROUTER_PARTS = [...ROUTER_FAULTS.map(({ id }) => id), "costs", "throughput"] as const;

export interface RouterBenchWish {
  /** Runs of each fault. */
  readonly runs: number;
  /** Turns of pgbench through each program. */
  readonly turns: number;
  /** How long one of them lasts. */
  readonly seconds: number;
  /** Some of ROUTER_PARTS; all when empty. */
  readonly only: readonly string[];
  readonly out: string;
}

const NEEDS: LabNeeds = { ttlSeconds: 10, net: "loopback", set: {}, routers: 1 };
const OTHERS_SECONDS = 60;

/**
 * Measures on a lab of its own, keeps every figure in a file and prints tables. Exit 3 when something could not be measured;
 * whoever stops it gets what was measured so far.
 */
export async function benchRouters(wish: RouterBenchWish): Promise<number> {
  const stop = stopSignal({
    say,
    now: "this run is the last, then its lab is taken down",
    left: () => labLeft(BENCH_LAB),
  });
  say(`about ${minutesFor(wish)} minutes`);
  const result: RouterResult = {
    machine: describeMachine(),
    faults: [],
    costs: undefined,
    throughput: [],
    failures: [],
  };
  const stand = openStand(NEEDS, false);
  const attempt = async (part: string, work: () => Promise<void>): Promise<void> => {
    if (stop.aborted || !isChosen(wish, part)) return;
    try {
      await work();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      result.failures.push(`${part}: ${why}`);
      say(`${part}: FAILED, ${why}`);
      await stand.replace().catch((left: unknown) => say(`FAILED, ${String(left)}`));
    }
    // What is measured is kept, whatever becomes of the rest.
    mkdirSync(dirname(wish.out), { recursive: true });
    writeFileSync(wish.out, `${JSON.stringify(result, null, 2)}\n`);
  };
  try {
    await attempt("costs", async () => {
      result.costs = await connectionCosts(await stand.ready());
    });
    await attempt("throughput", () => throughput(stand, wish, result));
    for (const fault of ROUTER_FAULTS) {
      const turns: FaultTurn[] = [];
      result.faults.push({ fault, turns });
      for (let run = 1; run <= wish.runs; run++)
        await attempt(fault.id, async () => {
          const turn = await faultTurn(await stand.ready(), fault);
          turns.push(turn);
          say(`${fault.id} ${run}/${wish.runs}: ${pausesOf(turn)}`);
        });
    }
  } finally {
    await stand.close().catch((error: unknown) => say(`FAILED, ${String(error)}`));
  }
  console.log(routerTables(result));
  if (stop.aborted) return EXIT_INTERRUPTED;
  return result.failures.length === 0 ? 0 : EXIT_WARNING;
}

const isChosen = ({ only }: RouterBenchWish, part: string): boolean =>
  only.length === 0 || only.includes(part);

async function throughput(
  stand: Stand,
  { turns, seconds }: RouterBenchWish,
  result: RouterResult,
): Promise<void> {
  const running = await Throughput.open(await stand.ready(), seconds);
  try {
    for (let turn = 0; turn < turns; turn++) {
      const rates = await running.turn(turn);
      result.throughput.push(...rates);
      const words = rates.map((r) => `${r.path} ${r.script} ${(r.ours / r.byHand).toFixed(3)}`);
      say(`throughput ${turn + 1}/${turns}: ${words.join(", ")}`);
    }
  } finally {
    await running.close();
  }
}

const pausesOf = (turn: FaultTurn): string =>
  Object.entries(turn)
    .map(([path, { pauseMs, failed, refused, lost }]) => {
      const errors = `${failed - refused} in flight, ${refused} refused`;
      return `${path} ${inSeconds(pauseMs)} (${errors}${lost.length > 0 ? ", LOST ROWS" : ""})`;
    })
    .join("; ");

function minutesFor(wish: RouterBenchWish): number {
  const faults: readonly RouterFault[] = ROUTER_FAULTS.filter(({ id }) => isChosen(wish, id));
  const ofFaults = faults.reduce((sum, { takesSeconds }) => sum + takesSeconds * wish.runs, 0);
  const ofTurns = isChosen(wish, "throughput") ? wish.turns * wish.seconds * 8 : 0;
  return Math.ceil((OTHERS_SECONDS + ofFaults + ofTurns) / 60);
}
