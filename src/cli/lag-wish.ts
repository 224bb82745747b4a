// What does a person ask of `lag`, and what if that cannot be?
import { didYouMean } from "../model/nearest.ts";
import { CliFailure, EXIT } from "./exit.ts";
import type { LagRow } from "./lag-cases.ts";

const UNITS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `1h`, `30m`, `2d`, `90s`. */
export function spanOf(written: string): number {
  const [, amount, unit = ""] = /^(\d{1,4})([smhd])$/.exec(written) ?? [];
  const span = Number(amount) * (UNITS[unit] ?? Number.NaN);
  if (span > 0 && span <= 7 * 86_400_000) return span;
  const why = "it must be a number and s, m, h or d, at most 7d";
  throw new CliFailure(EXIT.usage, `--history ${written} is not possible`, why, "try 1h");
}

/** All of them, or the one that is named. */
export function chosenRows(
  all: readonly LagRow[],
  wanted: string | undefined,
  scope: string,
): readonly LagRow[] {
  if (wanted === undefined) return all;
  const rows = all.filter(({ name }) => name === wanted);
  if (rows.length > 0) return rows;
  const names = all.map(({ name }) => name);
  throw new CliFailure(
    EXIT.noSuchThing,
    `${scope} has no standby ${wanted}${didYouMean(wanted, names)}`,
    `its standbys are ${names.join(", ") || "none yet"}`,
    "nothing was done",
  );
}
