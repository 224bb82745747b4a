// Commands for incidents: list them, read one, say that it was looked at, take one along.
import { userInfo } from "node:os";
import type { Command } from "commander";
import type { Incident } from "../incident/incident.ts";
import { markdownOf } from "../incident/told.ts";
import { didYouMean } from "../model/nearest.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { incidentList, incidentScreen, type Listed } from "./incident-screen.ts";
import { call, change, listIn, look } from "./rest.ts";
import { type Shared, targetOf } from "./shared.ts";
import type { Target } from "./target.ts";
import { print, printJsonText, width } from "./terminal.ts";

/** A member asks all others before it answers, and a dead one costs it the whole wait. */
const TELL_LIMIT_MS = 10_000;

async function listIncidents(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<Shared>();
  const answer = await listed(targetOf(flags));
  if (flags.json === true) printJsonText(answer.whole);
  else print(incidentList(answer.items, width()));
}

interface ShowFlags extends Shared {
  readonly all?: boolean;
}

async function showIncident(id: string | undefined, _: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<ShowFlags>();
  const incident = await incidentNamed(targetOf(flags), id);
  if (flags.json === true) printJsonText(incident);
  else print(incidentScreen(incident, width(), flags.all === true));
}

interface ExportFlags extends Shared {
  readonly markdown?: boolean;
}

async function exportIncident(id: string, _: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<ExportFlags>();
  if (flags.json === true && flags.markdown === true) {
    throw new CliFailure(EXIT.usage, "--json and --markdown are two forms", "choose one of them");
  }
  const incident = await incidentNamed(targetOf({ ...flags, json: true }), id);
  if (flags.json === true) printJsonText(incident);
  else print(markdownOf(incident));
}

interface AckFlags extends Shared {
  readonly by?: string;
  readonly note?: string;
}

/** Said to every member that answers: each keeps it, and tells the others when they ask. */
async function acknowledge(id: string, _: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<AckFlags>();
  const target = targetOf(flags);
  const incident = await incidentNamed(target, id);
  const by = flags.by ?? userInfo().username;
  const body = { id: incident.id, by, ...(flags.note === undefined ? {} : { note: flags.note }) };
  const { members } = await look(target);
  const answers = await Promise.allSettled(
    members.map(async ({ apiUrl }) => {
      const url = `${apiUrl}/understudy/incidents/ack`;
      return change(target, { method: "POST", url, body });
    }),
  );
  const done = answers.find(({ status }) => status === "fulfilled");
  if (done?.status === "fulfilled") {
    print(done.value.body);
    return;
  }
  const refused = answers.find(({ status }) => status === "rejected");
  throw refused?.status === "rejected"
    ? refused.reason
    : new CliFailure(EXIT.unreachable, "nobody answers");
}

/** The newest when no id is given. A name that does not exist is answered with the nearest one. */
async function incidentNamed(target: Target, id: string | undefined): Promise<Incident> {
  const { items, url } = await listed(target);
  const chosen = id ?? items.at(-1)?.id;
  const ids = items.map((incident) => incident.id);
  if (chosen === undefined || !ids.includes(chosen)) {
    const what =
      chosen === undefined
        ? "there has been no incident since these nodes keep events"
        : `there is no incident ${chosen}${didYouMean(chosen, ids)}`;
    throw new CliFailure(EXIT.noSuchThing, what, "understudy incident list shows all of them");
  }
  const { items: found } = await read(target, `${url}?id=${chosen}`);
  const [incident] = found;
  if (incident !== undefined) return incident as Incident;
  throw new CliFailure(EXIT.unreachable, `${chosen} could not be read`, "ask again");
}

async function listed(target: Target) {
  const { members, member } = await look(target);
  const apiUrl = members.find(({ name }) => name === member)?.apiUrl ?? target.urls[0] ?? "";
  const url = `${apiUrl}/understudy/incidents`;
  return { ...(await read(target, url)), url };
}

async function read(target: Target, url: string) {
  const answer = await call(target, { method: "GET", url, timeoutMs: TELL_LIMIT_MS });
  const told = listIn(answer);
  if (told === undefined)
    throw new CliFailure(EXIT.unreachable, "the incidents could not be read", answer.body);
  return { whole: told.whole, items: told.items as readonly Listed[] };
}

export function registerIncidents(program: Command): void {
  const incident = program
    .command("incident")
    .description("what went wrong: failovers, outages, fencings, crashes, and planned switchovers");
  incident
    .command("list")
    .description("all incidents that the members have kept, oldest first")
    .option("--json", "for programs")
    .action(listIncidents);
  incident
    .command("show")
    .argument("[id]", "which one; the newest when left out")
    .description("what happened, why, what was done, what was lost, what is still to do")
    .option("-a, --all", "with every moment of the story")
    .option("--json", "for programs")
    .action(showIncident);
  incident
    .command("ack")
    .argument("<id>", "which one")
    .description("say that it was looked at")
    .option("--by <who>", "who; your user's name when left out")
    .option("--note <words>", "what is to be known about it")
    .action(acknowledge);
  incident
    .command("export")
    .argument("<id>", "which one")
    .description("the whole story as a document")
    .option("--markdown", "for people; this when left out")
    .option("--json", "for programs")
    .action(exportIncident);
}
