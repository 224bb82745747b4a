// Commands that run our other programs: the agent, and the simulator.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Command } from "commander";
import { AppError } from "../model/error.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { change, look, memberNamed, statusOf } from "./rest.ts";
import { type Shared, targetOf } from "./shared.ts";
import { namedFile } from "./target.ts";
import { print } from "./terminal.ts";

const LEAVE_LIMIT_MS = 15_000;
const POLL_MS = 200;

/** The path of another program of ours. */
export function bundle(name: string): string {
  const file = join(dirname(fileURLToPath(import.meta.url)), `${name}.mjs`);
  if (existsSync(file)) return file;
  throw new CliFailure(EXIT.unexpected, `${name}.mjs is not beside this program`, "build it first");
}

/** The agent takes over this very process: its pid is the one that a service manager sees. */
async function agent(_: unknown, command: Command): Promise<void> {
  const file = namedFile(command.optsWithGlobals<Shared>().config);
  if (file === undefined) {
    throw new AppError("CONFIG_NOT_FOUND", "starting the agent", "no -c and no UNDERSTUDY_CONFIG");
  }
  const program = bundle("agent");
  process.argv = [process.execPath, program, "-c", file];
  await import(pathToFileURL(program).href);
}

interface DetachFlags extends Shared {
  readonly member?: string;
}

/** Asks this node's agent to leave, and waits until it has. */
async function detach(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<DetachFlags>();
  const target = targetOf(flags);
  const status = await look(target);
  const own = target.urls.length === 1 ? target.settings.name : undefined;
  const name = flags.member ?? own;
  if (name === undefined) throw new CliFailure(EXIT.usage, "which agent?", "say --member NAME");
  const { apiUrl } = memberNamed(status, name);
  const url = `${apiUrl}/understudy/detach`;
  print((await change(target, { method: "POST", url, timeoutMs: LEAVE_LIMIT_MS })).body);
  const until = Date.now() + LEAVE_LIMIT_MS;
  while (Date.now() < until) {
    const left = await statusOf(target, apiUrl).then(
      () => false,
      () => true,
    );
    if (left) {
      print(`${name}: the agent has left, PostgreSQL keeps running while its lease is served`);
      return;
    }
    await sleep(POLL_MS);
  }
  throw new CliFailure(EXIT.timedOut, `${name}: the agent still answers`, "see understudy logs");
}

/** The simulator is a program of its own; everything behind its name is its own business. */
async function sim(): Promise<void> {
  const program = bundle("sim");
  const args = process.argv.slice(process.argv.indexOf("sim") + 1);
  const child = spawn(process.execPath, ["--max-semi-space-size=64", program, ...args], {
    stdio: "inherit",
  });
  process.on("SIGINT", () => undefined);
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? EXIT.interrupted));
  });
}

export function registerAgent(program: Command): void {
  const command = program
    .command("agent")
    .description("run the agent of one node until it is told to stop")
    .action(agent);
  command
    .command("detach")
    .description("end the agent and leave PostgreSQL running, for an upgrade of the agent")
    .option("--member <member>", "whose agent; this node's when left out")
    .action(detach);
  program
    .command("sim")
    .argument("[args...]", "see understudy sim --help")
    .description("play thousands of faults in virtual time")
    .allowUnknownOption()
    .helpOption(false)
    .action(sim);
}
