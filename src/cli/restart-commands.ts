// Commands that restart PostgreSQL: one member now or later, or all of them one after another.
import type { Command } from "commander";
import type { StatusMember } from "../model/wire/status.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { change, look, memberNamed } from "./rest.ts";
import { restartAll } from "./rolling-restart.ts";
import { type Shared, targetOf } from "./shared.ts";
import type { Target } from "./target.ts";
import { agree, print } from "./terminal.ts";

const RESTART_LIMIT_MS = 600_000;

interface RestartFlags extends Shared {
  readonly pending?: boolean;
  readonly timeout?: string;
  readonly at?: string;
  readonly role?: string;
  readonly pgVersion?: string;
  readonly rolling?: boolean;
  readonly switchover?: boolean;
  readonly since?: string;
}

async function restart(name: string | undefined, _: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<RestartFlags>();
  refuseContradictions(name, flags);
  const target = targetOf(flags);
  if (flags.rolling === true) return restartAll(target, flags);
  const member = memberNamed(await look(target), name ?? "");
  await restartOne(target, member, flags);
}

async function restartOne(target: Target, member: StatusMember, flags: RestartFlags) {
  const { name, apiUrl } = member;
  const effect = member.leads
    ? "it is the primary: writes pause until it is back"
    : "it is a standby";
  const when = flags.at === undefined ? "" : ` at ${flags.at}`;
  await agree(`Restart PostgreSQL on ${name}${when} (${effect})?`, flags.yes === true);
  const body = {
    schedule: flags.at,
    role: flags.role,
    postgres_version: flags.pgVersion,
    timeout: flags.timeout,
    ...(flags.pending === true ? { restart_pending: true } : {}),
  };
  const url = `${apiUrl}/restart`;
  const answer = await change(target, { method: "POST", url, body, timeoutMs: RESTART_LIMIT_MS });
  print(`${name}: ${answer.body}${flags.at === undefined ? "" : ` for ${flags.at}`}`);
}

/** One flag that makes no sense beside another is refused before anything is asked of anybody. */
function refuseContradictions(name: string | undefined, flags: RestartFlags): void {
  const { rolling, switchover, since, at, role, pgVersion } = flags;
  const refuse = (what: string, why: string, next: string): never => {
    throw new CliFailure(EXIT.usage, what, why, next);
  };
  if (rolling !== true) {
    if (name === undefined) refuse("restart which member?", "none is named", "or say --rolling");
    const [only] = [switchover === true && "--switchover", since !== undefined && "--since"].filter(
      (flag) => flag !== false,
    );
    if (only !== undefined) {
      refuse(`${only} needs --rolling`, "one member has no order", "leave it out");
    }
    return;
  }
  if (name !== undefined) {
    refuse(`--rolling restarts every member, not ${name} alone`, "both were said", "choose one");
  }
  const other = [
    ["--at", at],
    ["--role", role],
    ["--pg-version", pgVersion],
  ].find(([, value]) => value !== undefined);
  if (other !== undefined) {
    refuse(`${other[0]} does not go with --rolling`, "its order is its own", "leave one out");
  }
}

async function cancel(name: string, _: unknown, command: Command): Promise<void> {
  const target = targetOf(command.optsWithGlobals<Shared>());
  const { apiUrl } = memberNamed(await look(target), name);
  const answer = await change(target, { method: "DELETE", url: `${apiUrl}/restart` });
  print(`${name}: ${answer.body}`);
}

export function registerRestart(program: Command): void {
  const command = program
    .command("restart")
    .argument("[member]", "which member")
    .description("restart PostgreSQL on one member, or on all of them one after another")
    .option("--at <time>", "when, e.g. 2026-11-30T04:00:00+00:00")
    .option("--pending", "only if parameters wait for a restart")
    .option("--role <role>", "only if it is primary or standby when it is time")
    .option("--pg-version <version>", "only a server older than this, e.g. 15.5")
    .option("--timeout <seconds>", "how long it may take")
    .option(
      "--rolling",
      "every member: standbys first, each until it streams again, then the leader",
    )
    .option(
      "--switchover",
      "with --rolling: hand the leadership over instead of restarting under it",
    )
    .option("--since <time>", "with --rolling: leave out servers that were started after this")
    .option("-y, --yes", "do not ask")
    .action(restart);
  command
    .command("cancel")
    .argument("<member>", "which member")
    .description("take a scheduled restart back")
    .action(cancel);
}
