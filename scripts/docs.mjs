// Which pages of the reference are made from tables in the code? Writes them; `--check` only compares.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const MADE = "<!-- Made by scripts/docs.mjs from the code; change it there. -->";

const pages = {
  "reasons.md": reasons,
  "errors.md": errors,
  "rest.md": rest,
  "metrics.md": metrics,
  "doctor.md": doctor,
  "cli.md": cli,
};

const code = await loadTables();
const stale = [];
mkdirSync(join(root, "docs", "reference"), { recursive: true });
for (const [name, render] of Object.entries(pages)) {
  const path = join(root, "docs", "reference", name);
  const before = readOr(path);
  const introduction = handWritten(before);
  const after = `${introduction}${MADE}\n\n${render(code).trimEnd()}\n`;
  if (after === before) continue;
  stale.push(name);
  if (!process.argv.includes("--check")) writeFileSync(path, after);
}
const verb = process.argv.includes("--check") ? "stale" : "written";
console.log(
  stale.length === 0 ? "docs: all pages agree with the code" : `docs: ${verb}: ${stale.join(", ")}`,
);
if (verb === "stale" && stale.length > 0) process.exitCode = 1;

/** Everything above the mark was written by a person and stays. */
function handWritten(/** @type {string} */ text) {
  const at = text.indexOf(MADE);
  return at < 0 ? text : text.slice(0, at);
}

function readOr(/** @type {string} */ path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** The tables live in TypeScript, so they are bundled first. */
async function loadTables() {
  const entry = `
    export { ALL_REASONS as REASONS } from "./src/model/reason.ts";
    export { ERRORS } from "./src/model/error.ts";
    export { ROUTES } from "./src/agent/api/routes.ts";
    export { POOL_METRICS, ROUTER_METRICS } from "./src/agent/api/router-metrics.ts";
    export { LAG_CAUSE_METRIC, LAG_STAGE_METRICS, LAG_STANDBY_METRICS } from "./src/agent/api/lag-metrics.ts";
    export { TROUBLE_METRIC } from "./src/agent/api/metrics.ts";
    export { METRICS, REASON_METRIC } from "./src/agent/api/metric-table.ts";
    export { DOCTOR_CHECKS } from "./src/model/doctor/examine.ts";
    export { buildProgram } from "./src/cli/program.ts";
  `;
  const { outputFiles } = await build({
    absWorkingDir: root,
    stdin: { contents: entry, resolveDir: root, loader: "ts" },
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    target: "node20",
    banner: {
      js: 'import { createRequire as __r } from "node:module"; const require = __r(import.meta.url);',
    },
  });
  mkdirSync(join(root, ".cache"), { recursive: true });
  const dir = mkdtempSync(join(root, ".cache", "docs-"));
  const file = join(dir, "tables.mjs");
  try {
    writeFileSync(file, outputFiles[0]?.text ?? "");
    return await import(pathToFileURL(file).href);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** @param {readonly string[]} head @param {readonly (readonly string[])[]} rows */
function tableOf(head, rows) {
  const line = (/** @type {readonly string[]} */ cells) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** @param {{ REASONS: Record<string, string> }} tables */
function reasons({ REASONS }) {
  const rows = Object.entries(REASONS).map(([name, words]) => [`\`${name}\``, words]);
  return tableOf(["reason", "what it means"], rows);
}

/** @param {{ ERRORS: Record<string, readonly [string, string]> }} tables */
function errors({ ERRORS }) {
  const rows = Object.entries(ERRORS).map(([name, words]) => [`\`${name}\``, ...words]);
  return tableOf(["code", "what happened", "what next"], rows);
}

/** @param {{ ROUTES: readonly { method: string, path: string, about: string }[] }} tables */
function rest({ ROUTES }) {
  const rows = ROUTES.map(({ method, path, about }) => [`\`${method} ${path}\``, about]);
  return tableOf(["endpoint", "what it does"], rows);
}

/** @typedef {readonly { name: string, type: string, help: string }[]} Numbers */

/** @param {{ METRICS: Numbers, REASON_METRIC: { name: string, help: string }, LAG_STAGE_METRICS: Numbers, LAG_STANDBY_METRICS: Numbers, LAG_CAUSE_METRIC: Numbers[0], TROUBLE_METRIC: Numbers[0], ROUTER_METRICS: Numbers, POOL_METRICS: Numbers }} tables */
function metrics({ METRICS, REASON_METRIC, ...more }) {
  const reason = { ...REASON_METRIC, type: "gauge" };
  const { LAG_STAGE_METRICS, LAG_STANDBY_METRICS, ROUTER_METRICS, POOL_METRICS } = more;
  const { LAG_CAUSE_METRIC, TROUBLE_METRIC } = more;
  const lag = [...LAG_STAGE_METRICS, ...LAG_STANDBY_METRICS, LAG_CAUSE_METRIC, TROUBLE_METRIC];
  const all = [...METRICS, reason, ...lag, ...ROUTER_METRICS, ...POOL_METRICS];
  const rows = all.map(({ name, type, help }) => [`\`${name}\``, type, help]);
  return tableOf(["metric", "type", "what it is"], rows);
}

/** @param {{ DOCTOR_CHECKS: readonly { id: string, severity: string, wanted: string, why: string, fix: string }[] }} tables */
function doctor({ DOCTOR_CHECKS }) {
  const rows = DOCTOR_CHECKS.map(({ id, severity, ...words }) => [
    `\`${id}\``,
    ...[severity, words.wanted, words.why, words.fix],
  ]);
  return tableOf(["check", "severity", "wanted", "why", "what next"], rows);
}

/** @param {{ buildProgram: () => import("commander").Command }} tables */
function cli({ buildProgram }) {
  return describe(buildProgram(), "").join("\n\n");
}

/** @param {import("commander").Command} command @param {string} path @returns {readonly string[]} */
function describe(command, path) {
  const name = `${path} ${command.name()}`.trim();
  const shown = command.commands.filter((inner) => inner.name() !== "complete-members");
  const own = shown.flatMap((inner) => describe(inner, name));
  if (path === "") return [optionsOf(command), ...own];
  const usage = `${name} ${command.usage()}`.replace(" [command]", "").trim();
  const text = [
    `### ${name}`,
    "",
    `\`${usage}\``,
    "",
    `${command.description()}.`,
    optionsOf(command),
  ];
  return [text.join("\n").trimEnd(), ...own];
}

function optionsOf(/** @type {import("commander").Command} */ command) {
  const lines = command.options.map(({ flags, description }) => `- \`${flags}\` ${description}`);
  return lines.length === 0 ? "" : `\n${lines.join("\n")}`;
}
