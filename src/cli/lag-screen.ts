// How does lag look on a screen? A sentence, the four stages of every standby, and why each that is behind is so.
import pc from "picocolors";
import { printBytes, printSpan } from "../model/amounts.ts";
import type { LagWeight } from "../model/lag/case.ts";
import { behindOf } from "../model/lag/diagnosis.ts";
import type { LagMoment } from "../model/lag/moment.ts";
import type { LagReport, Stage, StageGap } from "../model/lag/report.ts";
import type { LagRow } from "./lag-cases.ts";
import { type Column, table } from "./table.ts";
import { wrap } from "./terminal.ts";

export interface LagScreen {
  /** The leader and what it says; undefined while nobody leads, or it is silent. */
  readonly leader: { readonly name: string; readonly report: LagReport | undefined } | undefined;
  readonly rows: readonly LagRow[];
}

const MARKS: Readonly<Record<LagWeight, string>> = {
  fine: pc.green("●"),
  note: pc.cyan("◆"),
  trouble: pc.yellow("▲"),
};

export function lagScreen({ leader, rows }: LagScreen, width: number): string {
  const lines = [wrap(headline(leader), width)];
  if (rows.length === 0) return [...lines, "there is no standby"].join("\n");
  lines.push("", table(COLUMNS, rows, width), "");
  for (const { diagnosis, disagreements } of rows) {
    lines.push(`${MARKS[diagnosis.weight]} ${wrap(diagnosis.sentence, width - 2)}`);
    for (const line of diagnosis.evidence) lines.push(pc.dim(indented(`- ${line}`, width)));
    for (const line of diagnosis.remedy) lines.push(indented(`> ${line}`, width));
    for (const line of disagreements) lines.push(pc.yellow(wrap(`! ${line}`, width)));
  }
  return lines.join("\n");
}

const indented = (text: string, width: number): string =>
  wrap(text, width - 4)
    .split("\n")
    .map((line, index) => (index === 0 ? `  ${line}` : `    ${line}`))
    .join("\n");

function headline(leader: LagScreen["leader"]): string {
  if (leader === undefined) return "nobody leads: there is no end of WAL to be behind of";
  const { name, report } = leader;
  if (report === undefined) return `${name} leads and does not say how far its WAL goes`;
  const rate = report.walPerSecond;
  const writes = rate === undefined ? "" : `, ${printBytes(rate)} of WAL a second`;
  return `${name} leads at ${report.end}${writes}; measured ${printSpan(report.ageMs)} ago`;
}

const stage =
  (name: Stage) =>
  ({ sent, own }: LagRow): string => {
    const found = sent?.stages[name] ?? (name === "sent" ? undefined : own?.stages[name]);
    return found === undefined ? "?" : gapText(found);
  };

/** Bytes held up here, and for how long when that is worth a word. */
const gapText = ({ gapBytes, gapMs }: StageGap): string =>
  gapMs < 100 ? printBytes(gapBytes) : `${printBytes(gapBytes)} ${printSpan(gapMs)}`;

function behindText(row: LagRow): string {
  if (row.sent === undefined && row.own === undefined) return "?";
  const { bytes, ms, atLeast } = behindOf(row);
  return bytes === 0 ? "0 s" : `${atLeast ? ">" : ""}${printSpan(ms)}`;
}

function catchUpText({ sent }: LagRow): string {
  if (sent === undefined) return "?";
  if (sent.stages.replay.behindBytes === 0) return "now";
  if (sent.catchUpMs !== undefined) return `in ${printSpan(sent.catchUpMs)}`;
  return sent.trendPerSecond === undefined ? "?" : "never so";
}

const COLUMNS: readonly Column<LagRow>[] = [
  { title: "STANDBY", cell: ({ name }) => name },
  { title: "FROM", cell: ({ from }) => from ?? "nobody" },
  { title: "SENT", cell: stage("sent"), right: true },
  { title: "WRITE", cell: stage("write"), right: true },
  { title: "FLUSH", cell: stage("flush"), right: true },
  { title: "REPLAY", cell: stage("replay"), right: true },
  { title: "BEHIND", cell: behindText, right: true },
  { title: "CATCHES UP", cell: catchUpText, right: true, leaves: 1 },
];

const BLOCKS = "▁▂▃▄▅▆▇█";
const BARS = 60;

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A bar for each part of the time: the worst that was noted in it, a space where nothing was. */
export function historyLines(
  moments: readonly LagMoment[],
  { fromMs, toMs }: Span,
): readonly string[] {
  const names = [...new Set(moments.map(({ name }) => name))].toSorted();
  return names.map((name) => {
    const own = moments.filter((moment) => moment.name === name);
    const worst = own.reduce((a, b) => (b.behindMs > a.behindMs ? b : a));
    const bars = Array.from({ length: BARS }, () => -1);
    for (const { at, behindMs } of own) {
      const bar = Math.min(BARS - 1, Math.floor(((at - fromMs) / (toMs - fromMs)) * BARS));
      if (bar >= 0) bars[bar] = Math.max(bars[bar] ?? -1, behindMs);
    }
    const text = bars.map((ms) => (ms < 0 ? " " : heightOf(ms, worst.behindMs))).join("");
    const most = `${printSpan(worst.behindMs)}, ${printBytes(worst.behindBytes)}`;
    return `${name}  ${text}  at most ${most}`;
  });
}

const heightOf = (ms: number, worst: number): string =>
  BLOCKS[worst === 0 ? 0 : Math.round((ms / worst) * (BLOCKS.length - 1))] ?? " ";
