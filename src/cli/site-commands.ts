// Commands about a second site: let this cluster become independent, or follow another one.
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { printBytes, printSpan } from "../model/amounts.ts";
import { printSite } from "../model/site.ts";
import type { Ms } from "../model/time.ts";
import { readStandbyCluster } from "../model/wire/config-site.ts";
import type { StatusJson, StatusMember, StatusSite } from "../model/wire/status.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { change, leaderOf, look, memberNamed, statusOf } from "./rest.ts";
import { type Shared, targetOf } from "./shared.ts";
import type { Target } from "./target.ts";
import { agree, agreeByName, print, say } from "./terminal.ts";

const WRITE_LIMIT_MS: Ms = 10_000;
/** A rewind is over by then; a copy of a large database goes on. */
const CHANGE_LIMIT_MS: Ms = 120_000;
const POLL_MS: Ms = 250;

interface PromoteFlags extends Shared {
  readonly confirm?: string;
}

async function promote(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<PromoteFlags>();
  const target = targetOf(flags);
  const status = await look(target);
  const { follows } = status.cluster;
  if (follows === undefined) {
    throw new CliFailure(
      EXIT.precondition,
      `${status.scope} follows no other site`,
      "nothing was done",
    );
  }
  const leader = leaderOf(status);
  const { site } = (await statusOf(target, leader.apiUrl)).node;
  const other = printSite(follows);
  say(`${leader.name} is promoted on a timeline of its own; ${lossOf(site, other)}`);
  if (site?.answers === true && site.takesWrites === false) {
    await agree(`Promote ${status.scope}? ${other} takes no writes now.`, flags.yes === true);
  } else {
    const state = site?.answers === true ? "takes writes" : "does not answer and may take writes";
    const consequence = `${other} ${state}: nobody but you keeps two sites from being written to at once.`;
    await agreeByName({ name: status.scope, consequence, confirmed: flags.confirm });
  }
  await write(target, status, { standby_cluster: null });
  const primary = await untilLeaderIs(target, "primary");
  print(
    `${primary.name} is the primary of ${status.scope}, on timeline ${primary.timeline ?? "?"}`,
  );
}

/** What this site may lack of what was acknowledged over there. */
function lossOf(site: StatusSite | undefined, other: string): string {
  if (site?.lagBytes === undefined) return `how far ${other} is ahead is not known`;
  const behind = printBytes(site.lagBytes);
  if (site.answers) return `it is ${behind} behind ${other}`;
  return `it was ${behind} behind ${other} ${printSpan(site.seenAgoMs ?? 0)} ago, and lacks what came since`;
}

interface DemoteFlags extends Shared {
  readonly host: string;
  readonly port: string;
  readonly slot?: string;
  readonly plan?: boolean;
  readonly confirm?: string;
}

async function demote(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<DemoteFlags>();
  const site = siteOf(flags);
  const target = targetOf(flags);
  const status = await look(target);
  const leader = leaderOf(status);
  const other = printSite(site);
  if (leader.role !== "primary") {
    const why = `${leader.name} is a ${leader.role}: change standby_cluster with understudy config patch`;
    throw new CliFailure(EXIT.precondition, `${status.scope} has no primary to demote`, why);
  }
  say(planOf(leader.name, other));
  if (flags.plan === true) return;
  const consequence = `${status.scope} takes no more writes, and loses whatever ${other} does not have.`;
  await agreeByName({ name: status.scope, consequence, confirmed: flags.confirm });
  await write(target, status, { standby_cluster: site });
  const standby = await untilLeaderIs(target, "standby leader");
  print(`${standby.name} leads ${status.scope} as a standby of ${other}`);
}

/** What `standby_cluster` becomes. Read as the members will read it, so that a plan is not for what they would refuse. */
function siteOf({ host, port, slot }: DemoteFlags) {
  const site = { host, port: Number(port), primary_slot_name: slot ?? null };
  const read = readStandbyCluster(site);
  if (typeof read !== "string") return site;
  throw new CliFailure(EXIT.usage, "no such site can be followed", read, "nothing was done");
}

const planOf = (leader: string, other: string): string =>
  [
    "plan",
    ` 1 look at ${other}: while it does not answer, or is another database, ${leader} goes on as the primary`,
    ` 2 stop writes on ${leader}, shut its server down in order`,
    ` 3 rewind it where its history has left that of ${other}, copy it anew where that fails; the old data stay until then`,
    ` 4 it receives from ${other}, and the other members from it`,
  ].join("\n");

async function write(target: Target, status: StatusJson, body: object): Promise<void> {
  const url = `${memberNamed(status, status.member).apiUrl}/config`;
  await change(target, { method: "PATCH", url, body, timeoutMs: WRITE_LIMIT_MS });
}

async function untilLeaderIs(target: Target, role: string): Promise<StatusMember> {
  const until = Date.now() + CHANGE_LIMIT_MS;
  for (;;) {
    const status = await look(target).catch(() => undefined);
    const leader = status?.members.find(({ leads }) => leads);
    if (leader?.role === role && leader.state === "running") return leader;
    if (Date.now() >= until) {
      const why = `${leader?.name ?? "nobody"} leads: ${leader?.because ?? "?"}`;
      const what = `there is no running ${role} after ${printSpan(CHANGE_LIMIT_MS)}`;
      throw new CliFailure(EXIT.timedOut, what, why, "it goes on: watch understudy status");
    }
    await sleep(POLL_MS);
  }
}

export function registerSite(program: Command): void {
  const site = program
    .command("site")
    .description("a cluster that follows another site: make it independent, or make it follow");
  site
    .command("promote")
    .description("end the following: the standby leader becomes a primary")
    .option("-y, --yes", "do not ask, where the other site takes no writes")
    .option("--confirm <scope>", "the cluster's name, instead of typing it")
    .action(promote);
  site
    .command("demote")
    .description("stop the primary and let the whole cluster follow another site")
    .requiredOption("--host <hosts>", "the server over there, or several with commas between")
    .option("--port <port>", "on every one of them", "5432")
    .option("--slot <name>", "the slot over there that keeps WAL for this site")
    .option("--plan", "only say what would happen")
    .option("--confirm <scope>", "the cluster's name, instead of typing it")
    .action(demote);
}
