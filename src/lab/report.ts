// What do people read? Texts of the lab's commands; no command is decided here.
import type { Ms } from "../model/time.ts";
import type { LostRow } from "./ledger.ts";
import type { Measurement } from "./measure.ts";
import type { LabRecord, LabRouter } from "./record.ts";
import type { LabProcess } from "./status.ts";

const MOST_ROWS = 20;

export const inSeconds = (ms: Ms): string => `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;

/** Pauses below a tenth of a second are the rhythm of the load itself. */
export const pauseText = (ms: Ms): string => (ms < 100 ? "under 0.1 s" : inSeconds(ms));

/** A step that is done, with how long it took. */
export const stepLine = (step: string, tookMs: Ms): string =>
  `  ✔ ${step.padEnd(48)} ${inSeconds(tookMs).padStart(8)}`;

/** How to use a running lab: everything can be pasted. */
export function labText(lab: LabRecord, only: boolean): string {
  const which = only ? "" : ` --name ${lab.name}`;
  const env = only ? "" : `UNDERSTUDY_CONFIG=${lab.members[0]?.configFile ?? ""} `;
  return `
It lives on until you run: npx understudy lab down${which}

Connect (libpq finds the primary by itself):
  psql "${lab.dsn}"
  psql "$(npx understudy lab dsn${which})"     the same, short
${lab.routers.map(routerText).join("")}
Each node's own:
${lab.members.map((m) => `  ${m.name.padEnd(ROUTE_WIDTH)}psql "${m.dsn}"`).join("\n")}

Try:
  ${env}npx understudy status
  npx understudy lab load --seconds 10${which}
  npx understudy lab chaos kill-postmaster${which}
  npx understudy lab chaos kill-node${which}
  npx understudy lab status${which}
${lab.schedules === true ? provenText(env) : ""}
Files and logs: ${lab.dir}`;
}

/** What goes on behind the prompt, and where it shows. */
const provenText = (env: string): string => `
The first backup is being taken and restored in a drill, and both are repeated by themselves:
  ${env}npx understudy backup schedule      what runs when, and how it ended
  ${env}npx understudy drill list           what was proven: RTO, RPO, signed
  ${env}npx understudy backup 3-2-1         are there three copies? (one machine is never two kinds)
`;

const ROUTE_WIDTH = 12;

/** Where clients come in at a router. */
function routerText({ name, pooled, balanced, statsUrl }: LabRouter): string {
  const line = (what: string, dsn: string): string => `  ${what.padEnd(ROUTE_WIDTH)}psql "${dsn}"`;
  return `
Pooled, through PgBouncer on ${name}:
${line("app", pooled.write)}
${line("app_ro", pooled.read)}
${line("app_report", pooled.report)}

Balanced, through HAProxy on ${name} (its page: ${statsUrl}):
${line("write", balanced.write)}
${line("read", balanced.read)}
${line("report", balanced.report)}
`;
}

/** The processes of a lab, one line each. */
export function statusText(lab: LabRecord, rows: readonly LabProcess[]): string {
  const primary = rows.find(({ role }) => role === "primary");
  const missing = rows.filter(({ state }) => state !== "running");
  const verdict =
    primary === undefined
      ? "no primary answers"
      : `${primary.node} is the primary, ${count(rows, "standby")} standbys answer`;
  const gaps =
    missing.length === 0
      ? "everything runs"
      : `not running: ${missing.map(({ node, role }) => `${node} ${role}`).join(", ")}`;
  const table = columns([
    ["NODE", "ROLE", "STATE", "PID", "ADDRESS", "LOG"],
    ...rows.map((row) => [
      row.node,
      row.role,
      row.state,
      row.pid === null ? "n/a" : String(row.pid),
      row.address,
      row.log,
    ]),
  ]);
  return `lab ${lab.name}: ${verdict}; ${gaps}\n\n${table}`;
}

const count = (rows: readonly LabProcess[], role: string): number =>
  rows.filter((row) => row.role === role).length;

/** What a fault cost, in sentences. */
export function measurementText(what: string, m: Measurement): string {
  const change =
    m.before.primary === m.after.primary
      ? `${m.after.primary} stayed the primary`
      : `the primary was ${m.before.primary}, now it is ${m.after.primary}`;
  const timeline =
    m.before.timeline === m.after.timeline
      ? `timeline ${m.after.timeline}`
      : `timeline ${m.before.timeline} → ${m.after.timeline}`;
  return [
    `${what}: longest pause of writes ${pauseText(m.pauseMs)}`,
    `${change}; ${timeline}`,
    `${rowsText(m.acknowledged, m.notPromised)}; ${lostText(m.lost)}`,
    ...(m.probes === undefined ? [] : [writersText(m)]),
  ].join("\n");
}

export function rowsText(acknowledged: number, notPromised: number): string {
  const doubts =
    notPromised === 0 ? "" : `, ${notPromised} answered with a warning (nobody promises them)`;
  return `${acknowledged} rows acknowledged${doubts}`;
}

export function lostText(lost: readonly LostRow[]): string {
  if (lost.length === 0) return "none lost, each was looked up on the primary";
  const rows = lost.slice(0, MOST_ROWS).map((row) => `worker ${row.worker} row ${row.sequence}`);
  const more = lost.length > MOST_ROWS ? ` and ${lost.length - MOST_ROWS} more` : "";
  return `${lost.length} LOST: ${rows.join(", ")}${more}`;
}

function writersText({ probes }: Measurement): string {
  const overlaps = probes?.overlaps ?? [];
  if (overlaps.length === 0) return "never two writers";
  const pairs = overlaps.map((o) => `${o.first.node} and ${o.second.node} for ${inSeconds(o.ms)}`);
  return `TWO WRITERS: ${pairs.join("; ")}`;
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
