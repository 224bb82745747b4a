// The command that shows what an agent or a server has written, and what it goes on to write.
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import type { StatusMember } from "../model/wire/status.ts";
import { CliFailure, EXIT, failureOf } from "./exit.ts";
import { call, listIn, look, memberNamed } from "./rest.ts";
import { type Shared, targetOf } from "./shared.ts";
import type { Target } from "./target.ts";
import { print, printJsonText, say } from "./terminal.ts";

const FOLLOW_EVERY_MS = 1_000;
const MOST_LINES = 5_000;

interface LogFlags extends Shared {
  readonly lines: string;
  readonly server?: boolean;
  readonly follow?: boolean;
}

interface Part {
  readonly items: readonly string[];
  readonly next: number | undefined;
}

async function logs(name: string | undefined, _: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<LogFlags>();
  const count = Number(flags.lines);
  if (!/^\d+$/.test(flags.lines) || count > MOST_LINES) {
    const why = `it must be a number up to ${MOST_LINES}`;
    throw new CliFailure(EXIT.usage, `--lines ${flags.lines} is not possible`, why);
  }
  if (flags.follow === true && flags.json === true) {
    const next = "leave --json out: every line of an agent's log is JSON already";
    throw new CliFailure(EXIT.usage, "--follow has no end", "so it is no JSON document", next);
  }
  const target = targetOf(flags);
  const seen = await look(target);
  const member = memberNamed(seen, name ?? seen.member);
  const source = flags.server === true ? "server" : "agent";
  const ask = (what: string) => partOf(target, member, `source=${source}&${what}`);
  const part = await ask(`lines=${count}`);
  if (flags.json === true) printJsonText(part.whole);
  else if (part.items.length > 0) print(part.items.join("\n"));
  else if (part.next === undefined) {
    say(`${member.name} keeps no such log in a file: set log.file, or ask with --server`);
    return;
  }
  if (flags.follow === true && part.next !== undefined) await follow(ask, part.next);
}

/** Until interrupted. A member that is silent for a while is waited for: its log is read from where it ended. */
async function follow(ask: (what: string) => Promise<Part>, begin: number): Promise<void> {
  const stopped = new AbortController();
  process.once("SIGINT", () => stopped.abort());
  let from = begin;
  let isSilent = false;
  while (!stopped.signal.aborted) {
    await sleep(FOLLOW_EVERY_MS, undefined, { signal: stopped.signal }).catch(() => undefined);
    if (stopped.signal.aborted) return;
    try {
      const { items, next } = await ask(`since=${from}`);
      from = next ?? from;
      isSilent = false;
      if (items.length > 0) print(items.join("\n"));
    } catch (error) {
      if (!isSilent) say(`${failureOf(error).lines.slice(0, 2).join(": ")}: waiting`);
      isSilent = true;
    }
  }
}

async function partOf(target: Target, member: StatusMember, query: string) {
  const url = `${member.apiUrl}/understudy/logs?${query}`;
  const answer = await call(target, { method: "GET", url });
  const told = listIn(answer);
  if (told === undefined)
    throw new CliFailure(EXIT.unreachable, `${member.name} did not give its log`, answer.body);
  const { whole, items } = told;
  const next = typeof whole["next"] === "number" ? whole["next"] : undefined;
  return { items: items as readonly string[], next, whole };
}

export function registerLogs(program: Command): void {
  program
    .command("logs")
    .argument("[member]", "whose log; the member that answers first when left out")
    .description("the last lines of an agent's or a server's log")
    .option("-n, --lines <n>", "how many", "50")
    .option("-f, --follow", "go on until interrupted")
    .option("--server", "PostgreSQL's log instead of the agent's")
    .option("--json", "for programs")
    .action(logs);
}
