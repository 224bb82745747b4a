// Commands that take the wheel and give it back: pause with an owner, a reason and an end; resume.
import { hostname, userInfo } from "node:os";
import { setTimeout } from "node:timers/promises";
import type { Command } from "commander";
import { printSpan } from "../model/amounts.ts";
import type { Ms } from "../model/time.ts";
import { printPauseNote } from "../model/wire/config-pause.ts";
import { parseDuration } from "../model/wire/duration.ts";
import { parseRfc3339, printRfc3339 } from "../model/wire/rfc3339.ts";
import type { StatusCluster, StatusJson } from "../model/wire/status.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { change, look, memberNamed } from "./rest.ts";
import { type Shared, targetOf } from "./shared.ts";
import type { Target } from "./target.ts";
import { agree, print, say } from "./terminal.ts";

const WRITE_LIMIT_MS: Ms = 10_000;
/** Longer than any work that a pause is meant for, and short enough for a clock that is written with four digits. */
const LONGEST_MS: Ms = 366 * 86_400_000;

/** How long --wait waits, and how often it looks. */
const WAIT_MS: Ms = 60_000;
const LOOK_AGAIN_MS: Ms = 300;

interface PauseFlags extends Shared {
  readonly reason?: string;
  readonly for?: string;
  readonly wait?: boolean;
}

interface ResumeFlags extends Shared {
  readonly wait?: boolean;
  readonly confirmDown?: string;
}

async function pause(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<PauseFlags>();
  const forMs = flags.for === undefined ? undefined : spanOf(flags.for);
  const target = targetOf(flags);
  const status = await look(target);
  if (status.cluster.paused) say(`${target.scope} is paused already${holderOf(status.cluster)}`);
  const end = forMs === undefined ? "it is resumed" : `${printSpan(forMs)} from now`;
  const question = `Pause ${target.scope}? Nothing fails over until ${end}.`;
  await agree(question, flags.yes === true);
  // The cluster's clock and not this terminal's: the end is judged there.
  const sinceMs = parseRfc3339(status.asOf) ?? Date.now();
  const untilMs = forMs === undefined ? undefined : sinceMs + forMs;
  const note = { by: owner(), reason: flags.reason, sinceMs, untilMs };
  await write(target, status, { pause: true, pause_note: printPauseNote(note) });
  if (untilMs === undefined) {
    print(`${target.scope} is paused`);
    say("it has no end: understudy resume ends it, or say --for next time");
  } else print(`${target.scope} is paused until ${printRfc3339(untilMs)}`);
  if (flags.wait !== true) return;
  const free = await until(
    target,
    "no primary has been let run without its fence",
    ({ cluster }) => cluster.unguarded !== undefined,
  );
  print(
    `${free.cluster.unguarded?.member ?? "nobody"} runs without its fence: its agent and the store may be stopped`,
  );
}

async function resume(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<ResumeFlags>();
  const target = targetOf(flags);
  const status = await look(target);
  if (flags.confirmDown !== undefined) refuseOther(status, flags.confirmDown);
  await write(target, status, { pause: null, pause_note: null });
  const { cluster } = status;
  if (cluster.paused) print(`${target.scope} is no longer paused${holderOf(cluster)}`);
  else print(`${target.scope} was not paused`);
  if (flags.confirmDown !== undefined) await confirmDown(target, status, flags.confirmDown);
  if (flags.wait === true) await untilGuarded(target);
}

/** A name that is wrong ends nothing, not even the pause. */
function refuseOther({ cluster: { unguarded } }: StatusJson, member: string): void {
  if (unguarded?.member === member) return;
  const who = unguarded === undefined ? "no member runs" : `it is ${unguarded.member} that runs`;
  const what = `${member} is not known to run without its fence`;
  throw new CliFailure(EXIT.noSuchThing, what, `${who} without its fence`, "nothing was done");
}

/** The member that answers looks once more itself: a server or an agent that answers is not down. */
async function confirmDown(target: Target, status: StatusJson, member: string): Promise<void> {
  const url = `${memberNamed(status, status.member).apiUrl}/understudy/confirm-down`;
  const order = { method: "POST", url, body: { member }, timeoutMs: WRITE_LIMIT_MS } as const;
  print((await change(target, order)).body.trim());
}

async function untilGuarded(target: Target): Promise<void> {
  const what = "the primary has not said that its fence is armed again";
  await until(target, what, ({ cluster }) => cluster.unguarded === undefined);
  print("no server runs without its fence");
}

async function until(
  target: Target,
  what: string,
  isSo: (status: StatusJson) => boolean,
): Promise<StatusJson> {
  const limit = performance.now() + WAIT_MS;
  while (performance.now() < limit) {
    const status = await look(target);
    if (isSo(status)) return status;
    await setTimeout(LOOK_AGAIN_MS);
  }
  throw new CliFailure(
    EXIT.timedOut,
    what,
    `looked for ${printSpan(WAIT_MS)}`,
    "understudy status tells why",
  );
}

async function write(target: Target, status: StatusJson, body: object): Promise<void> {
  const url = `${memberNamed(status, status.member).apiUrl}/config`;
  await change(target, { method: "PATCH", url, body, timeoutMs: WRITE_LIMIT_MS });
}

function holderOf({ pause: held }: StatusCluster): string {
  const whom = held?.by === undefined ? "" : ` by ${held.by}`;
  return held?.reason === undefined ? whom : `${whom} (${held.reason})`;
}

/** Who works here, as the others will look for them. */
function owner(): string {
  return `${userName()}@${hostname()}`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run with a user that has no name.
    return `user ${process.getuid?.() ?? "?"}`;
  }
}

/** `30m` is what people write; the configuration's own `30min` is understood as well. */
function spanOf(written: string): Ms {
  const ms = parseDuration(written.replace(/^(\s*[\d.]+\s*)m\s*$/, "$1min"));
  if (ms !== undefined && ms > 0 && ms <= LONGEST_MS) return ms;
  throw new CliFailure(
    EXIT.usage,
    `--for ${written} is not a time that a pause can last`,
    "it must be more than nothing and at most a year",
    "write it like 30m, 2h or 90s",
  );
}

export function registerPause(program: Command): void {
  program
    .command("pause")
    .description("stop all automatic starting, stopping and promoting")
    .option("--reason <text>", "why, for whoever finds the cluster paused")
    .option("--for <time>", "when it ends by itself, e.g. 30m or 2h; until resume when left out")
    .option(
      "--wait",
      "until the primary runs without its fence: agents and store may be stopped then",
    )
    .option("-y, --yes", "do not ask")
    .action(pause);
  program
    .command("resume")
    .description("let the agents act again; who ran without its fence is guarded first")
    .option("--wait", "until the primary has said that its fence is armed again")
    .option(
      "--confirm-down <member>",
      "this member ran without its fence and is surely down: another one may lead",
    )
    .action(resume);
}
