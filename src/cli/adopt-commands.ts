// Commands that take a cluster over from Patroni's agents: the plan with what is done, and what stands against the next step.

import type { Command } from "commander";
import { readNodeText } from "../adapters/system/node-file.ts";
import {
  type AdoptedMember,
  type AdoptionStep,
  type AdoptionView,
  changingDefaults,
  type Objection,
  objectionsTo,
  planAdoption,
  storeSectionIn,
} from "../model/adoption.ts";
import { AppError } from "../model/error.ts";
import { printFinding } from "../model/finding.ts";
import type { NodeSettings } from "../model/settings.ts";
import { parseHistoryRows } from "../model/wire/dcs.ts";
import { isObject, type JsonObject, textIn } from "../model/wire/json.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { memberUrls } from "./members-in-store.ts";
import { call, plainJson } from "./rest.ts";
import { type Shared, targetOf } from "./shared.ts";
import { readNodeFile, type Target } from "./target.ts";
import { print, printJsonText } from "./terminal.ts";

/** All that is shown, for people and for programs. */
interface Adoption {
  readonly view: AdoptionView;
  readonly steps: readonly AdoptionStep[];
  readonly objections: readonly Objection[];
}

async function adoptionOf(target: Target): Promise<Adoption> {
  const view = await viewOf(target);
  return { view, steps: planAdoption(view), objections: objectionsTo(view) };
}

/** Asked of the first member that answers, of whichever kind its agent is. */
async function viewOf(target: Target): Promise<AdoptionView> {
  const own = target.urls;
  const seen = await firstCluster(target, own).catch(async () =>
    firstCluster(target, await memberUrls(target.settings)),
  );
  const { url, cluster } = seen;
  const [config, history] = await Promise.all([
    jsonAt(target, `${url}/config`),
    textAt(target, `${url}/history`),
  ]);
  const rows = Array.isArray(cluster["members"]) ? (cluster["members"] as unknown[]) : [];
  const scheduled = cluster["scheduled_switchover"];
  return {
    scope: target.scope,
    storeSection: storeSectionIn(readNodeText(target.configFile), process.env),
    members: await Promise.all(rows.filter(isObject).map((row) => memberOf(target, row))),
    isPaused: cluster["pause"] === true,
    scheduledSwitchover: isObject(scheduled) ? textIn(scheduled["at"]) : undefined,
    config: config ?? {},
    lastEndedTimeline: parseHistoryRows(history).at(-1)?.timeline,
  };
}

async function firstCluster(target: Target, urls: readonly string[]) {
  const looks = urls.map(async (url) => {
    const cluster = await jsonAt(target, `${url}/cluster`);
    if (cluster === undefined) throw new AppError("PEER_UNREACHABLE", `GET ${url}/cluster`);
    return { url, cluster };
  });
  return Promise.any(looks).catch((): never => {
    throw new CliFailure(
      EXIT.unreachable,
      `no member of ${target.scope} answers`,
      `asked ${urls.join(", ") || "nobody: the store names no member either"}`,
      "name the file of a node whose agent runs, Patroni's or ours",
    );
  });
}

async function memberOf(target: Target, row: JsonObject): Promise<AdoptedMember> {
  const url = textIn(row["api_url"]) ?? "";
  const status = url === "" ? undefined : await jsonAt(target, url).catch(() => undefined);
  const about = isObject(status?.["patroni"]) ? status["patroni"] : {};
  const role = textIn(row["role"]) ?? "";
  const { timeline, lag } = row;
  return {
    name: textIn(row["name"]) ?? "?",
    leads: role === "leader" || role === "standby_leader",
    isSynchronous: role === "sync_standby" || role === "quorum_standby",
    state: textIn(row["state"]) ?? "unknown",
    timeline: typeof timeline === "number" ? timeline : undefined,
    address: { host: textIn(row["host"]) ?? "", port: Number(row["port"] ?? 5432) },
    lagBytes: typeof lag === "number" ? lag : undefined,
    agent:
      status === undefined
        ? undefined
        : { isOurs: isObject(status["understudy"]), version: textIn(about["version"]) ?? "?" },
  };
}

async function textAt(target: Target, url: string): Promise<string | undefined> {
  const { status, body } = await call(target, { method: "GET", url });
  return status === 200 ? body : undefined;
}

async function jsonAt(target: Target, url: string): Promise<JsonObject | undefined> {
  const body = await textAt(target, url);
  const value = body === undefined ? undefined : plainJson(body);
  return isObject(value) ? value : undefined;
}

async function plan(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<Shared>();
  const target = targetOf(flags);
  const adoption = await adoptionOf(target);
  if (flags.json === true) printJsonText(asJson(adoption));
  else print(planScreen(adoption, { file: target.configFile, superuser: superuserOf(target) }));
}

async function check(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<Shared>();
  const target = targetOf(flags);
  const adoption = await adoptionOf(target);
  if (flags.json === true) printJsonText(asJson(adoption));
  else print(checkScreen(adoption, target.configFile));
  if (adoption.objections.length > 0) process.exitCode = EXIT.precondition;
}

const asJson = ({ view, steps, objections }: Adoption) => ({
  apiVersion: "understudy/v1",
  kind: "Adoption",
  scope: view.scope,
  items: steps,
  members: view.members,
  objections,
  changingDefaults: changingDefaults(view),
});

/** The plan as it stands now: what is done, what is next and with which words, and the way back. */
function planScreen({ view, steps, objections }: Adoption, here: Here): string {
  const next = steps.find(({ isDone }) => !isDone);
  const lines = steps.map(
    (step, index) => ` ${index + 1} ${markOf(step, next)}  ${sentenceOf(step)}`,
  );
  if (next === undefined) return [adopted(view), ...lines].join("\n");
  const trouble = objections.length === 0 ? "it may be done now" : "not yet: see adopt check";
  return [
    `${lines.length} steps; next: ${sentenceOf(next)} (${trouble})`,
    ...lines,
    "",
    ...howTo(next, view, here),
    "",
    "way back, at any time, one node at a time, standbys first:",
    "  systemctl disable --now understudy; systemctl enable --now patroni",
  ].join("\n");
}

const adopted = ({ scope }: AdoptionView): string => `${scope} is adopted: every agent is ours`;

function markOf(step: AdoptionStep, next: AdoptionStep | undefined): string {
  if (step.isDone) return "done";
  return step === next ? "next" : "    ";
}

function sentenceOf({ kind, member, to }: AdoptionStep): string {
  if (kind === "replace") return `replace the agent of ${member}`;
  return `switch over from ${member} to ${to ?? "?"}: the one pause of writes`;
}

interface Here {
  readonly file: string;
  readonly superuser: string;
}

/** As the file has it; a router's file knows none. */
const superuserOf = ({ settings }: Target): string =>
  "postgres" in settings ? (settings as NodeSettings).postgres.superuser.username : "postgres";

function howTo(
  { kind, member, to }: AdoptionStep,
  view: AdoptionView,
  { file, superuser }: Here,
): readonly string[] {
  if (kind === "switch-over") {
    const { host = "?", port = 5432 } = view.members.find((m) => m.name === member)?.address ?? {};
    return [
      "anywhere, when few write; the first line keeps the stop of the server short:",
      `  psql "host=${host} port=${port} dbname=postgres user=${superuser}" -c CHECKPOINT`,
      `  patronictl switchover --candidate ${to ?? "?"} --force`,
    ];
  }
  return [
    `on ${member}:`,
    `  understudy config check ${file}`,
    "  systemctl disable --now patroni     # stops its PostgreSQL",
    "  systemctl enable --now understudy   # starts it again, under the fence",
    "then: understudy adopt check",
  ];
}

function checkScreen({ view, objections, steps }: Adoption, file: string): string {
  const found = objections.flatMap(({ what, next }) => [`problem: ${what}`, `   next: ${next}`]);
  const { warnings } = readNodeFile(file);
  return [
    verdictOf(view, steps, objections),
    ...view.members.map(memberLine),
    ...found,
    ...warnings.map((warning) => `warning: ${printFinding(warning)}`),
    ...changingDefaults(view).map((note) => `note: ${note}`),
  ].join("\n");
}

function verdictOf(
  view: AdoptionView,
  steps: readonly AdoptionStep[],
  objections: readonly Objection[],
): string {
  const next = steps.find(({ isDone }) => !isDone);
  if (next === undefined) return adopted(view);
  const may = objections.length === 0 ? "may be done now" : "must wait";
  return `the next step ${may}: ${sentenceOf(next)}`;
}

function memberLine({ name, leads, state, agent }: AdoptedMember): string {
  const theirs = agent === undefined ? "no answer" : `Patroni ${agent.version}`;
  const kind = agent?.isOurs === true ? "ours" : theirs;
  return `  ${name}  ${leads ? "leader" : "standby"}, ${state}, ${kind}`;
}

export function registerAdopt(program: Command): void {
  const adopt = program
    .command("adopt")
    .description("take a cluster over from Patroni's agents, node by node");
  adopt
    .command("plan")
    .description("all steps, which are done, how the next is done, and the way back")
    .option("--json", "for programs")
    .action(plan);
  adopt
    .command("check")
    .description("may the next step be done now? Ends with 6 when something stands against it")
    .option("--json", "for programs")
    .action(check);
}
