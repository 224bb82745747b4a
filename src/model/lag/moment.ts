// What is remembered of a standby's lag at one moment? One line of JSON, as short as it can be.

import type { Ms } from "../time.ts";
import { isObject } from "../wire/json.ts";

export interface LagMoment {
  /** Wall-clock milliseconds: history is for people. */
  readonly at: number;
  readonly name: string;
  /** Bytes held up at each stage, in the order of the stages. */
  readonly gaps: readonly number[];
  readonly behindBytes: number;
  readonly behindMs: Ms;
}

export const printMoment = ({ at, name, gaps, behindBytes, behindMs }: LagMoment): string =>
  JSON.stringify({ at, name, gaps, bytes: behindBytes, ms: behindMs });

/** Nothing for a line that is torn or of another kind. */
export function parseMoment(line: string): readonly LagMoment[] {
  const value = valueIn(line);
  if (!isObject(value)) return [];
  const { at, name, gaps, bytes, ms } = value;
  const isWhole =
    typeof at === "number" &&
    typeof name === "string" &&
    Array.isArray(gaps) &&
    gaps.every((gap) => typeof gap === "number") &&
    typeof bytes === "number" &&
    typeof ms === "number";
  return isWhole ? [{ at, name, gaps, behindBytes: bytes, behindMs: ms }] : [];
}

function valueIn(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
