// What does a person see of the doctor's findings? The worst first, each with what to do.
import pc from "picocolors";
import type { Diagnosis, Severity } from "../model/doctor/check.ts";
import { wrap } from "./terminal.ts";

export interface DoctorView {
  /** The nodes that were looked at. */
  readonly names: readonly string[];
  readonly checks: number;
  readonly findings: readonly Diagnosis[];
  readonly fixes: readonly string[];
  /** Notices in full as well. */
  readonly all: boolean;
}

const MARK: Readonly<Record<Severity, string>> = { critical: "■", warning: "▲", notice: "·" };
const COLOUR: Readonly<Record<Severity, (text: string) => string>> = {
  critical: pc.red,
  warning: pc.yellow,
  notice: pc.dim,
};
const INDENT = "  ";

export function doctorScreen(view: DoctorView, columns: number): string {
  const { findings, fixes, all } = view;
  const isShort = ({ severity }: Diagnosis): boolean => severity === "notice" && !all;
  const full = findings.filter((finding) => !isShort(finding));
  const short = findings.filter(isShort);
  return [
    wrap(sentence(view), columns),
    ...fixes.map((fix) => wrap(fix, columns)),
    ...full.map((finding) => `\n${inFull(finding, columns)}`),
    ...(short.length === 0 ? [] : ["", ...short.map((finding) => inShort(finding, columns))]),
    ...(short.length === 0
      ? []
      : ["", "more: understudy explain NAME, or understudy doctor --all"]),
  ].join("\n");
}

function sentence({ names, checks, findings }: DoctorView): string {
  const many = (severity: Severity, one: string, several: string): readonly string[] => {
    const count = findings.filter((finding) => finding.severity === severity).length;
    return count === 0 ? [] : [`${count} ${count === 1 ? one : several}`];
  };
  const found = [
    ...many("critical", "critical", "critical"),
    ...many("warning", "warning", "warnings"),
    ...many("notice", "notice", "notices"),
  ];
  const looked = `${checks} checks on ${names.join(", ")}`;
  return found.length === 0
    ? `${looked}: all is as it should be`
    : `${looked}: ${found.join(", ")}`;
}

function inFull(
  { id, severity, nodes, found, wanted, why, fix }: Diagnosis,
  columns: number,
): string {
  const title = `${MARK[severity]} ${severity}  ${id}  ${nodes.join(", ")}`;
  const part = (name: string, text: string): string => {
    const [first = "", ...more] = wrap(text, columns - 10).split("\n");
    const rest = more.map((line) => `${INDENT}${" ".repeat(8)}${line}`);
    return [`${INDENT}${pc.dim(name.padEnd(8))}${first}`, ...rest].join("\n");
  };
  return [
    COLOUR[severity](title),
    part("found", found),
    part("wanted", wanted),
    part("why", why),
    part("fix", fix),
  ].join("\n");
}

function inShort({ id, severity, nodes, found }: Diagnosis, columns: number): string {
  const line = `${MARK[severity]} ${id}  ${nodes.join(", ")}: ${found}`;
  return line.length <= columns ? line : `${line.slice(0, columns - 1)}…`;
}
