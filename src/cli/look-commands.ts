// Commands that only look: status, topology, history.
import type { Command } from "commander";
import { printLsn } from "../model/lsn.ts";
import { parseHistoryRows } from "../model/wire/dcs.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { historyScreen } from "./history-screen.ts";
import { exitOfHealth, type Overview, overviewOf } from "./overview.ts";
import { call, look } from "./rest.ts";
import { type Shared, targetOf } from "./shared.ts";
import { statusScreen } from "./status-screen.ts";
import type { Target } from "./target.ts";
import { print, printJsonText, width } from "./terminal.ts";
import { topologyScreen } from "./topology-screen.ts";
import { rhythmOf, watchFrames } from "./watch.ts";

interface StatusFlags extends Shared {
  readonly watch?: string | true;
}

async function showStatus(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<StatusFlags>();
  const target = targetOf(flags);
  if (flags.watch !== undefined) {
    await watch(target, flags);
    return;
  }
  const overview = await overviewOf(target);
  if (flags.json === true) printJsonText(asJson(overview));
  else print(statusScreen(overview, width()));
  process.exitCode = exitOfHealth(overview.health);
}

/** The stable form for programs: members are the items. */
function asJson({ members, ...rest }: Overview) {
  return { ...rest, items: members };
}

function watch(target: Target, flags: StatusFlags): Promise<void> {
  return watchFrames({
    everyMs: rhythmOf(flags.watch),
    repaint: process.stdout.isTTY && flags.json !== true,
    look: () => overviewOf(target),
    screen: (frame) => statusScreen(frame, width()),
    json: asJson,
  });
}

async function topology(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<Shared>();
  const overview = await overviewOf(targetOf(flags));
  if (flags.json === true) printJsonText(asJson(overview));
  else print(topologyScreen(overview));
}

async function history(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<Shared>();
  const { body } = await fromAny(targetOf(flags), "/history");
  const rows = parseHistoryRows(body);
  if (flags.json !== true) {
    print(historyScreen(rows, width()));
    return;
  }
  const items = rows.map((row) => ({
    timeline: row.timeline,
    endLsn: printLsn(row.lsn),
    at: row.at ?? "?",
    newLeader: row.newLeader ?? "?",
    reason: row.reason,
  }));
  printJsonText({ apiVersion: "understudy/v1", kind: "History", items });
}

/** The answer of the first member that gives one. */
async function fromAny(target: Target, path: string) {
  const status = await look(target);
  const asked = status.members.find(({ name }) => name === status.member);
  const answer = await call(target, {
    method: "GET",
    url: `${asked?.apiUrl ?? target.urls[0]}${path}`,
  });
  if (answer.status === 200) return answer;
  throw new CliFailure(EXIT.unreachable, `${path} was not answered`, answer.body);
}

export function registerLooking(program: Command): void {
  program
    .command("status")
    .description("the cluster on one screen; ends with 0 healthy, 3 degraded, 4 not writable")
    .option("--json", "for programs")
    .option("-w, --watch [seconds]", "again and again until interrupted")
    .action(showStatus);
  program
    .command("topology")
    .description("who copies from whom")
    .option("--json", "for programs")
    .action(topology);
  program
    .command("history")
    .description("timelines: where each ended, when, and who led the next")
    .option("--json", "for programs")
    .action(history);
}
