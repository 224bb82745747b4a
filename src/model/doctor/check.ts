// What is a check of the doctor, and what does it say?
import type { NodeFacts } from "./facts.ts";

/** Critical: data or the service is at risk now. Warning: it will be. Notice: worth knowing. */
export type Severity = "critical" | "warning" | "notice";

export type Group =
  | "host"
  | "ground"
  | "postgres"
  | "store"
  | "network"
  | "security"
  | "backup"
  | "pooler"
  | "application";

/** One question to the facts of one node. Pure: the same facts always get the same answer. */
export interface Check {
  readonly id: string;
  readonly group: Group;
  readonly severity: Severity;
  /** What a healthy node has. */
  readonly wanted: string;
  /** What happens otherwise. */
  readonly why: string;
  readonly fix: string;
  /** What was found instead, once for each subject; nothing where all is well or nothing is known. */
  readonly found: (facts: NodeFacts) => readonly string[];
}

/** A question to all nodes together. */
export interface ClusterCheck extends Omit<Check, "found"> {
  readonly found: (nodes: readonly NodeFacts[]) => readonly string[];
}

export interface Diagnosis {
  readonly id: string;
  readonly group: Group;
  readonly severity: Severity;
  /** The nodes on which it was found. */
  readonly nodes: readonly string[];
  readonly found: string;
  readonly wanted: string;
  readonly why: string;
  readonly fix: string;
}

/** One answer where the condition holds. */
export const when = (holds: boolean, found: string): readonly string[] => (holds ? [found] : []);

const RANK: Readonly<Record<Severity, number>> = { critical: 0, warning: 1, notice: 2 };

/** The worst first; equal ones as they come. */
export const worstFirst = (findings: readonly Diagnosis[]): readonly Diagnosis[] =>
  findings.toSorted((a, b) => RANK[a.severity] - RANK[b.severity]);
