// Was a backup restored lately, by any of the members?
import { printSpan } from "../amounts.ts";
import { type ClusterCheck, when } from "./check.ts";
import type { DrillFacts, NodeFacts } from "./facts.ts";

/** Each member knows its own drills; by its own clock, so that clocks which differ change no age. */
function drillsOf(nodes: readonly NodeFacts[]) {
  return nodes.flatMap(({ name, wallMs, backup }) =>
    backup.isConfigured && backup.drill !== undefined
      ? [{ name, wallMs, drill: backup.drill }]
      : [],
  );
}

const agesOf = (nodes: readonly NodeFacts[]): readonly number[] =>
  drillsOf(nodes).flatMap(({ wallMs, drill: { lastPassedAtMs } }) =>
    lastPassedAtMs === undefined ? [] : [Math.max(0, wallMs - lastPassedAtMs)],
  );

/** The newest of all that any member remembers, with its age. */
function newestOf(nodes: readonly NodeFacts[]) {
  const all = drillsOf(nodes).flatMap(({ name, wallMs, drill: { last } }) =>
    last === undefined ? [] : [{ name, last, ageMs: wallMs - last.endedAtMs }],
  );
  return all.toSorted((a, b) => a.ageMs - b.ageMs)[0];
}

const limitOf = (nodes: readonly NodeFacts[]): number =>
  Math.min(
    ...drillsOf(nodes).map(({ drill: { oldAfterMs } }: { drill: DrillFacts }) => oldAfterMs),
  );

export const DRILL_CHECKS: readonly ClusterCheck[] = [
  {
    id: "backup_drill_old",
    group: "backup",
    severity: "warning",
    wanted: "a drill that passed within backup.drill.max_age (8 days)",
    why: "a backup that was never restored is a hope: nobody knows whether it works, or how long it takes",
    fix: "understudy drill run, regularly",
    found: (nodes) => {
      if (drillsOf(nodes).length === 0) return [];
      const ages = agesOf(nodes);
      if (ages.length === 0) return ["no backup was ever restored by a drill that passed"];
      const ageMs = Math.min(...ages);
      return when(ageMs > limitOf(nodes), `the last drill that passed is ${printSpan(ageMs)} old`);
    },
  },
  {
    id: "backup_drill_failed",
    group: "backup",
    severity: "critical",
    wanted: "a last drill that passed",
    why: "the backup could not be restored as it should: on the day of a loss it is what you have",
    fix: "see understudy drill show; take a new backup, and drill it",
    found: (nodes) => {
      const newest = newestOf(nodes);
      if (newest?.last.outcome !== "failed") return [];
      const { id, repo } = newest.last;
      return [`${id} on ${newest.name}, repository ${repo}, ${printSpan(newest.ageMs)} ago`];
    },
  },
];
