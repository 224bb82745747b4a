// How does maintenance look that keeps clients waiting, or would?
import pc from "picocolors";
import { printBytes, printSpan } from "../model/amounts.ts";
import { budgetText, type Estimate, type RelationFacts } from "../model/maintenance/estimate.ts";
import type { Judgement, Weight } from "../model/maintenance/judgement.ts";
import type { Flagged } from "../model/maintenance/running.ts";
import type { MaintenanceNow, WaitingRestart } from "./maintenance.ts";
import { wrap } from "./terminal.ts";

export interface Checked {
  readonly judgement: Judgement;
  /** Of the relation, where it was named and found. */
  readonly facts: RelationFacts | undefined;
  /** Why nothing is known of it. */
  readonly why: string | undefined;
  readonly estimate: Estimate | undefined;
  readonly planned: { readonly budgetMs: number; readonly leftMs: number } | undefined;
}

const MARKS: Readonly<Record<Weight, string>> = {
  blocks: pc.red("✘"),
  brief: pc.yellow("!"),
  free: pc.green("✔"),
  unknown: pc.yellow("?"),
};

export const checkedScreen = (all: readonly Checked[], width: number): string =>
  all.map((one) => checkedLines(one, width).join("\n")).join("\n\n");

function checkedLines({ judgement, facts, why, estimate, planned }: Checked, width: number) {
  const { what, weight, holds, doubt, instead, relation } = judgement;
  const name = relation === undefined ? "" : ` of ${relation.name.join(".")}`;
  const said = budgetLine(estimate, planned);
  const missing = facts === undefined && weight === "blocks";
  const users =
    facts === undefined || facts.users === 0 || weight === "free"
      ? undefined
      : `${count(facts.users, "session")} with it open, the oldest for ${printSpan(facts.oldestMs)}: it waits for them, and others behind it`;
  return [
    `${MARKS[weight]} ${pc.bold(`${what}${name}`)}`,
    holds,
    facts === undefined ? undefined : sizeText(facts),
    said,
    missing ? `how long is not known: ${why ?? "nothing is known of it"}` : undefined,
    users,
    doubt === undefined ? undefined : `but ${doubt}`,
    instead === undefined ? undefined : `instead: ${instead}`,
  ]
    .filter((line) => line !== undefined)
    .map((line, n) => (n === 0 ? line : hang(line, width)));
}

function budgetLine(estimate: Estimate | undefined, planned: Checked["planned"]) {
  if (estimate === undefined) return undefined;
  const share = budgetText(estimate, planned);
  const about = `about ${printSpan(estimate.ms)} (${estimate.how})`;
  return share === undefined ? about : `${about}: ${share}`;
}

const count = (many: number, what: string): string => `${many} ${what}${many === 1 ? "" : "s"}`;

const sizeText = ({ name, kind, tableBytes, indexBytes }: RelationFacts): string =>
  `${name} is a ${kind} of ${printBytes(tableBytes)}, indexes ${printBytes(indexBytes)}`;

export function nowScreen(now: MaintenanceNow, budget: string | undefined, width: number): string {
  const { primary, flagged, restarts } = now;
  const blocked = flagged.reduce((sum, { facts }) => sum + facts.blocked, 0);
  const sentence =
    flagged.length === 0
      ? `no maintenance keeps clients of ${primary} waiting`
      : `${count(flagged.length, "blocking statement")} on ${primary}, ${count(blocked, "session")} waiting`;
  return [
    pc.bold(wrap(sentence + (budget === undefined ? "" : `; ${budget}`), width)),
    ...flagged.flatMap((one) => ["", ...flaggedLines(one, width)]),
    ...restarts.flatMap((one) => ["", ...restartLines(one, width)]),
  ].join("\n");
}

function flaggedLines({ facts, judgement }: Flagged, width: number): readonly string[] {
  const { pid, database, user, forMs, blocked, blockedMs, statement, phase, donePercent } = facts;
  const far =
    phase === undefined ? "" : `, ${phase}${donePercent === undefined ? "" : ` ${donePercent} %`}`;
  const queue =
    blocked === 0
      ? "nobody waits yet"
      : `${count(blocked, "session")} waiting, for up to ${printSpan(blockedMs)}`;
  const { what, holds, instead } = judgement;
  const lines = [
    `pid ${pid}, ${user} in ${database}, for ${printSpan(forMs)}${far}${facts.waits ? ", it waits for a lock itself" : ""}`,
    statement.replaceAll(/\s+/g, " ").trim(),
    ...(instead === undefined ? [] : [`instead: ${instead}`]),
    `to end it: SELECT pg_cancel_backend(${pid}), or pg_terminate_backend`,
  ];
  const mark = blocked > 0 ? pc.red("✘") : pc.yellow("!");
  return [
    `${mark} ${pc.bold(what)}`,
    hang(`${holds}: ${queue}`, width),
    ...lines.map((line) => hang(line, width)),
  ];
}

function restartLines({ member, leads, why, at, instead }: WaitingRestart, width: number) {
  const when = at === undefined ? "" : ` at ${at}`;
  const who = leads ? "the primary: writes wait until it is back" : "a standby";
  return [
    `${leads ? pc.yellow("!") : pc.dim("-")} a restart of ${member}${when}, ${who}`,
    hang(why, width),
    hang(`instead: ${instead}`, width),
  ];
}

const hang = (words: string, width: number): string =>
  `  ${wrap(words, Math.max(20, width - 2)).replaceAll("\n", "\n  ")}`;
