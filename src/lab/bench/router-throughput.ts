// How many transactions a second go through our router, beside the same programs set up by hand?
import { spawn } from "node:child_process";
import { join } from "node:path";
import { AppError } from "../../model/error.ts";
import { waitForPrimary } from "../health.ts";
import { APP_DATABASE } from "../layout.ts";
import { postgresBinDir } from "../programs.ts";
import type { LabRecord, LabRouter } from "../record.ts";
import { balancerOf, poolerOf } from "../routers.ts";
import type { Target } from "../session.ts";
import { type ByHand, startByHand } from "./by-hand.ts";
import { BEHIND, type Behind } from "./router-faults.ts";

export const SCRIPTS = { select: "pgbench -S", "tpc-b": "TPC-B" } as const;
export type Script = keyof typeof SCRIPTS;

/** Transactions a second, of one turn. */
export interface ThroughputTurn {
  readonly path: Behind;
  readonly script: Script;
  readonly ours: number;
  readonly byHand: number;
}

const SCALE = 10;
const CLIENTS = 8;
const PRIMARY_LIMIT_MS = 60_000;

interface Prepared {
  readonly router: LabRouter;
  readonly byHand: ByHand;
  readonly seconds: number;
}

/** pgbench through both, by turns; made once for all turns and closed afterwards. */
export class Throughput {
  readonly #lab: LabRecord;
  readonly #router: LabRouter;
  readonly #byHand: ByHand;
  readonly #seconds: number;

  private constructor(lab: LabRecord, { router, byHand, seconds }: Prepared) {
    this.#lab = lab;
    this.#router = router;
    this.#byHand = byHand;
    this.#seconds = seconds;
  }

  /** Fills pgbench's tables and starts the programs that are set up by hand. */
  static async open(lab: LabRecord, seconds: number): Promise<Throughput> {
    const [router] = lab.routers;
    if (router === undefined) throw new AppError("LAB_FAILED", "measuring routers", "no router");
    const { member } = await waitForPrimary(lab, PRIMARY_LIMIT_MS);
    await pgbench(["-i", "-q", "-s", `${SCALE}`, dsnOf(lab, member)]);
    const byHand = await startByHand(lab, router, member);
    return new Throughput(lab, { router, byHand, seconds });
  }

  /** One turn of every path and script. Who begins changes with the turn. */
  async turn(number: number): Promise<readonly ThroughputTurn[]> {
    const turns: ThroughputTurn[] = [];
    for (const path of BEHIND) {
      for (const script of ["select", "tpc-b"] as const) {
        const pair = [this.#ours(path), this.#theirs(path)] as const;
        const isOursFirst = number % 2 === 0;
        const order = isOursFirst ? pair : pair.toReversed();
        const rates = [];
        for (const door of order) rates.push(await this.#rate(door, script));
        const [ours = 0, byHand = 0] = isOursFirst ? rates : rates.toReversed();
        turns.push({ path, script, ours, byHand });
      }
    }
    return turns;
  }

  close(): Promise<void> {
    return this.#byHand.close();
  }

  #ours(path: Behind): Target {
    return path === "pooled" ? poolerOf(this.#router) : balancerOf(this.#router, "write");
  }

  #theirs(path: Behind): Target {
    return path === "pooled" ? this.#byHand.pooler : this.#byHand.balancer;
  }

  async #rate(door: Target, script: Script): Promise<number> {
    const kind = script === "select" ? ["-S"] : [];
    const clients = ["-c", `${CLIENTS}`, "-j", "2", "-T", `${this.#seconds}`];
    const said = await pgbench(["-n", ...kind, ...clients, dsnOf(this.#lab, door)]);
    const [, rate] = /^tps = ([\d.]+)/m.exec(said) ?? [];
    if (rate !== undefined) return Number(rate);
    throw new AppError("LAB_FAILED", `measuring ${door.name}`, said.slice(0, 200));
  }
}

const dsnOf = (
  { user, password }: LabRecord,
  { address, port }: Pick<Target, "address" | "port">,
) => `postgresql://${user}:${password}@${address}:${port}/${APP_DATABASE}`;

/** Runs it to its end and answers what it printed. */
function pgbench(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(postgresBinDir(), "pgbench"), args, {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(said);
      else reject(new AppError("LAB_FAILED", "running pgbench", said.slice(-300)));
    });
  });
}
