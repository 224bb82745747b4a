// For how long would a statement keep clients waiting, and what is that of the budget? A rough figure, said to be one.
import { printBytes, printSpan } from "../amounts.ts";
import type { Judgement, Work } from "./judgement.ts";

/** What a member found out about a relation. */
export interface RelationFacts {
  readonly name: string;
  readonly kind: "table" | "partitioned table" | "index" | "view" | "other";
  /** With what is stored out of line, without indexes. */
  readonly tableBytes: number;
  readonly indexBytes: number;
  /** Sessions that have it open in a transaction now, and for how long the oldest one has been. */
  readonly users: number;
  readonly oldestMs: number;
}

/** Bytes a second that ordinary disks and one processor manage: a writer, a sorter, a reader. */
const PER_SECOND: Readonly<Record<Work, number>> = {
  rewrite: 50 * 1024 * 1024,
  index: 50 * 1024 * 1024,
  scan: 200 * 1024 * 1024,
};

export interface Estimate {
  readonly ms: number;
  readonly how: string;
}

/** Undefined where it does not block, or nothing is known of the relation. */
export function estimateOf(
  { weight, work }: Judgement,
  facts: RelationFacts | undefined,
): Estimate | undefined {
  if (weight !== "blocks" || work === undefined || facts === undefined) return undefined;
  const { tableBytes, indexBytes } = facts;
  const bytes = work === "rewrite" ? tableBytes + indexBytes : tableBytes;
  const rate = PER_SECOND[work];
  const ms = Math.max(1_000, (bytes / rate) * 1_000);
  const parts = work === "rewrite" ? "table and indexes" : "the table";
  return { ms, how: `${parts}, ${printBytes(bytes)}, at ${printBytes(rate)} a second` };
}

/** What it would leave of the planned part; undefined where availability is not measured. */
export function budgetText(
  { ms }: Estimate,
  planned: { readonly budgetMs: number; readonly leftMs: number } | undefined,
): string | undefined {
  if (planned === undefined) return undefined;
  const { leftMs } = planned;
  if (leftMs <= 0) return "nothing is left of the year's planned part";
  if (ms > leftMs)
    return `more than the ${printSpan(leftMs)} that are left of the year's planned part`;
  return `${((ms / leftMs) * 100).toPrecision(2)} % of the ${printSpan(leftMs)} that are left of the year's planned part`;
}
