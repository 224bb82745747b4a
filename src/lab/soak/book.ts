// What have all runs of a soak together shown? One line a round, in memory or in a file that outlives the run.
//
// Lines are only appended, so two soaks may share a file, and a run that is killed has kept its rounds.
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import type { Mode } from "./loss.ts";
import type { RoundReport } from "./soak.ts";

export class Book {
  readonly #file: string | undefined;
  readonly #own: RoundReport[] = [];

  /** Without a file only the rounds of this run count. */
  constructor(file: string | undefined) {
    this.#file = file;
  }

  add(round: RoundReport): void {
    this.#own.push(round);
    if (this.#file !== undefined) appendFileSync(this.#file, `${JSON.stringify(round)}\n`);
  }

  /** Every round, those of earlier and of other runs included. */
  rounds(): readonly RoundReport[] {
    if (this.#file === undefined) return this.#own;
    if (!existsSync(this.#file)) return [];
    const lines = readFileSync(this.#file, "utf8").split("\n");
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as RoundReport);
  }
}

/** How many rounds of a kind there were in a mode, and how many failovers they have caused. */
export function countOf(
  rounds: readonly RoundReport[],
  { mode, kind }: { readonly mode: Mode; readonly kind: string },
): { readonly rounds: number; readonly failovers: number } {
  const own = rounds.filter((round) => round.mode === mode && round.kind === kind);
  const failovers = own.reduce((sum, round) => sum + round.failovers, 0);
  return { rounds: own.length, failovers };
}
