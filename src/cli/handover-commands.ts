// Commands that move the leadership: switchover while all is well, failover when it is not.
import type { Command } from "commander";
import { printBytes } from "../model/amounts.ts";
import type { StatusJson, StatusMember } from "../model/wire/status.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { change, leaderOf, look, memberNamed } from "./rest.ts";
import { type Shared, targetOf } from "./shared.ts";
import { agree, agreeByName, print, say } from "./terminal.ts";

/** The member waits for the end of the handover itself; this is only the outer limit. */
const LIMIT_MS = 180_000;

interface SwitchoverFlags extends Shared {
  readonly to?: string;
  readonly candidate?: string;
  readonly at?: string;
  readonly plan?: boolean;
}

async function switchover(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<SwitchoverFlags>();
  const target = targetOf(flags);
  const status = await look(target);
  const leader = leaderOf(status);
  const wanted = flags.to ?? flags.candidate;
  const candidate = wanted === undefined ? undefined : memberNamed(status, wanted);
  if (candidate?.name === leader.name) {
    throw new CliFailure(EXIT.precondition, `${leader.name} leads already`, "nothing was done");
  }
  say(planOf(status, leader, { candidate, at: flags.at }));
  if (flags.plan === true) return;
  const whom = candidate === undefined ? "the best standby" : candidate.name;
  await agree(`Switch the primary from ${leader.name} to ${whom}?`, flags.yes === true);
  const body = { leader: leader.name, candidate: candidate?.name, scheduled_at: flags.at };
  const url = `${gateOf(status)}/switchover`;
  print((await change(target, { method: "POST", url, body, timeoutMs: LIMIT_MS })).body);
}

/** Whoever answered just now takes the wish: it stands in the store, so anybody may write it. */
const gateOf = (status: StatusJson): string => memberNamed(status, status.member).apiUrl;

interface Wanted {
  readonly candidate: StatusMember | undefined;
  readonly at: string | undefined;
}

function planOf(status: StatusJson, leader: StatusMember, { candidate, at }: Wanted): string {
  const whom = candidate?.name ?? "the standby that is furthest ahead";
  const standbys = status.members.filter(({ leads }) => !leads);
  const steps = [
    `checkpoint on ${leader.name}, so that its stop is short`,
    `stop writes on ${leader.name} and wait until ${whom} has the last byte`,
    `${whom} is promoted and takes writes`,
    `${leader.name} comes back as a standby`,
  ];
  const checks = standbys
    .filter(({ name }) => candidate === undefined || name === candidate.name)
    .map(({ name, state, replicationState, lagBytes, tags }) => {
      const lag = lagBytes === undefined ? "lag unknown" : `${printBytes(lagBytes)} behind`;
      const barred = tags["nofailover"] === true ? ", tagged nofailover" : "";
      return `  ${name}: ${replicationState ?? state}, ${lag}${barred}`;
    });
  return [
    `plan${at === undefined ? "" : ` for ${at}`} (writes pause for about a second)`,
    ...steps.map((step, index) => ` ${index + 1} ${step}`),
    "candidates",
    ...(checks.length === 0 ? ["  none"] : checks),
  ].join("\n");
}

interface FailoverFlags extends Shared {
  readonly to?: string;
  readonly candidate?: string;
  readonly confirm?: string;
}

async function failover(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<FailoverFlags>();
  const wanted = flags.to ?? flags.candidate;
  if (wanted === undefined) {
    throw new CliFailure(EXIT.usage, "failover needs a member", "say --to MEMBER");
  }
  const target = targetOf(flags);
  const status = await look(target);
  const candidate = memberNamed(status, wanted);
  const behind =
    candidate.lagBytes === undefined ? "an unknown amount" : printBytes(candidate.lagBytes);
  await agreeByName({
    name: candidate.name,
    consequence: `${candidate.name} becomes the primary although it may miss ${behind} of writes.`,
    confirmed: flags.confirm,
  });
  const url = `${gateOf(status)}/failover`;
  const body = { candidate: candidate.name };
  print((await change(target, { method: "POST", url, body, timeoutMs: LIMIT_MS })).body);
}

async function cancel(_: unknown, command: Command): Promise<void> {
  const target = targetOf(command.optsWithGlobals<Shared>());
  const status = await look(target);
  const url = `${gateOf(status)}/switchover`;
  print((await change(target, { method: "DELETE", url })).body);
}

export function registerHandover(program: Command): void {
  const command = program
    .command("switchover")
    .description("move the leadership to another member, without losing a write")
    .option("--to <member>", "who shall lead; the best standby when left out")
    .option("--candidate <member>", "the same as --to")
    .option("--at <time>", "when, e.g. 2026-11-30T04:00:00+00:00")
    .option("--plan", "only say what would happen")
    .option("-y, --yes", "do not ask")
    .action(switchover);
  command.command("cancel").description("take a scheduled switchover back").action(cancel);
  program
    .command("failover")
    .description("make a member the primary although the old one is gone or sick")
    .option("--to <member>", "who shall lead")
    .option("--candidate <member>", "the same as --to")
    .option("--confirm <member>", "its name once more, instead of typing it")
    .action(failover);
}
