// Does anything sound an alarm? One look as a person and a monitoring system take it: every word of trouble is one.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { callHttp } from "../../adapters/http/client.ts";
import type { Ms } from "../../model/time.ts";
import { isObject } from "../../model/wire/json.ts";
import { baseUrl } from "../../model/wire/member.ts";
import { requireBundles } from "../programs.ts";
import type { LabRecord } from "../record.ts";

const execute = promisify(execFile);
const COMMAND_LIMIT_MS: Ms = 60_000;
const METRICS_LIMIT_MS: Ms = 10_000;
const LARGEST_ANSWER = 16 * 1024 * 1024;

/** Who said it, and what. */
export interface Alarm {
  readonly by: "status" | "lag" | "doctor" | "metrics";
  readonly words: string;
}

/** What `status` says, how replication is diagnosed, and what a monitoring system would read. */
export async function lookForAlarms(lab: LabRecord): Promise<readonly Alarm[]> {
  const [status, lag, metrics] = await Promise.all([
    command(lab, ["status", "--json"]),
    command(lab, ["lag", "--json"]),
    Promise.all(lab.members.map(({ apiUrl }) => metricsOf(apiUrl))),
  ]);
  return [
    ...alarmsIn("status", status, statusWords),
    ...alarmsIn("lag", lag, lagWords),
    ...metrics.flat().map((words) => ({ by: "metrics", words }) as const),
  ];
}

/** What the doctor finds; a lab on one machine has findings of its own, and whoever compares knows them by their ids. */
export async function doctorFindings(lab: LabRecord): Promise<readonly Alarm[]> {
  return alarmsIn("doctor", await command(lab, ["doctor", "--json"]), doctorWords);
}

type Answer = Readonly<Record<string, unknown>> | string;

/** The JSON that a command of the user's prints, or why there is none. */
async function command(lab: LabRecord, args: readonly string[]): Promise<Answer> {
  const cli = join(requireBundles().folder, "cli.mjs");
  const all = [cli, "-c", lab.members[0]?.configFile ?? "", ...args];
  const options = { timeout: COMMAND_LIMIT_MS, maxBuffer: LARGEST_ANSWER };
  try {
    return JSON.parse((await execute(process.execPath, all, options)).stdout) as Answer;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    try {
      // Whoever ends with a warning has said which one.
      return JSON.parse(stdout ?? "") as Answer;
    } catch {
      return `${args[0] ?? ""} did not answer: ${stderr ?? String(error)}`;
    }
  }
}

const alarmsIn = (
  by: Alarm["by"],
  answer: Answer,
  wordsIn: (answer: Readonly<Record<string, unknown>>) => readonly string[],
): readonly Alarm[] =>
  (typeof answer === "string" ? [answer] : wordsIn(answer)).map((words) => ({ by, words }));

const statusWords = ({ health, sentence, warnings }: Readonly<Record<string, unknown>>) => [
  ...(Array.isArray(warnings) ? warnings.map(String) : ["its warnings are missing"]),
  ...(health === "healthy" || (Array.isArray(warnings) && warnings.length > 0)
    ? []
    : [`${String(health)}: ${String(sentence)}`]),
];

const lagWords = ({ items }: Readonly<Record<string, unknown>>): readonly string[] =>
  rowsIn(items).flatMap(({ diagnosis, disagreements }) => [
    ...(isObject(diagnosis) && diagnosis["weight"] === "trouble"
      ? [String(diagnosis["sentence"])]
      : []),
    ...(Array.isArray(disagreements) ? disagreements.map(String) : []),
  ]);

const doctorWords = ({ items }: Readonly<Record<string, unknown>>): readonly string[] =>
  rowsIn(items)
    .filter(({ severity }) => severity !== "notice")
    .map(({ id, nodes, found }) => `${String(id)} on ${String(nodes)}: ${String(found)}`);

const rowsIn = (items: unknown): readonly Readonly<Record<string, unknown>>[] =>
  Array.isArray(items) ? items.filter(isObject) : [];

/** Samples that are 0, or absent, while all is well. */
const QUIET =
  /^(?:understudy_incidents_ongoing|understudy_incidents_unacknowledged|understudy_incident_cause|understudy_config_warnings|understudy_slots_lost)\b[^\n]* (?!0$)\S+$/gm;
const LAG_TROUBLE = /^understudy_lag_cause\{[^\n]*weight="trouble"[^\n]*$/gm;

async function metricsOf(apiUrl: string): Promise<readonly string[]> {
  const url = `${baseUrl(apiUrl)}/metrics`;
  try {
    const { body } = await callHttp({ method: "GET", url, timeoutMs: METRICS_LIMIT_MS });
    return [...(body.match(QUIET) ?? []), ...(body.match(LAG_TROUBLE) ?? [])];
  } catch (error) {
    return [`${url}: ${error instanceof Error ? error.message : String(error)}`];
  }
}
