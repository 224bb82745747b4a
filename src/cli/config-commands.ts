// Commands about configuration: check a node's file, show, patch or edit what the cluster obeys.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { parse, stringify } from "yaml";
import { printFinding } from "../model/finding.ts";
import { isObject, type JsonObject } from "../model/wire/json.ts";
import { lineDiff, patchBetween, patchOf } from "./config-patch.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { call, change, look, memberNamed } from "./rest.ts";
import { type Shared, targetOf } from "./shared.ts";
import { namedFile, readNodeFile, type Target } from "./target.ts";
import { agree, isTerminal, print, printJsonText, say } from "./terminal.ts";

interface CheckFlags extends Shared {
  readonly strict?: boolean;
}

/** Ends with 0 when the agent would start, 2 when it would not, 3 when `--strict` finds a warning. */
function check(path: string | undefined, _: unknown, command: Command): void {
  const flags = command.optsWithGlobals<CheckFlags>();
  const file = path ?? namedFile(flags.config);
  if (file === undefined) throw new CliFailure(EXIT.usage, "no file to check", "name one");
  const found = readNodeFile(file);
  const problems = found.kind === "refused" ? found.problems : [];
  for (const problem of problems) print(`problem: ${printFinding(problem)}`);
  for (const warning of found.warnings) print(`warning: ${printFinding(warning)}`);
  if (problems.length > 0) process.exitCode = EXIT.usage;
  else if (found.warnings.length > 0 && flags.strict === true) process.exitCode = EXIT.degraded;
  if (problems.length + found.warnings.length === 0) print(`${file} is fine`);
}

/** One member through which the configuration is read and changed. */
async function gate(target: Target): Promise<string> {
  const status = await look(target);
  return `${memberNamed(status, status.member).apiUrl}/config`;
}

async function stored(target: Target, url: string): Promise<JsonObject> {
  const answer = await call(target, { method: "GET", url });
  const value: unknown = answer.status === 200 ? JSON.parse(answer.body) : undefined;
  if (isObject(value)) return value;
  throw new CliFailure(EXIT.precondition, "there is no configuration yet", answer.body);
}

async function show(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<Shared>();
  const target = targetOf(flags);
  const config = await stored(target, await gate(target));
  if (flags.json === true) printJsonText(config);
  else print(stringify(config).trimEnd());
}

async function patch(assignments: readonly string[], _: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<Shared>();
  await apply(targetOf(flags), patchOf(assignments), flags);
}

async function apply(target: Target, body: JsonObject, flags: Shared): Promise<void> {
  const url = await gate(target);
  const answer = await change(target, { method: "PATCH", url, body, timeoutMs: 10_000 });
  const config: unknown = JSON.parse(answer.body);
  if (flags.json === true) printJsonText(config);
  else print(stringify(config).trimEnd());
}

/** Opens an editor on the YAML; what differs afterwards is sent as a patch, so nobody else's change is lost. */
async function edit(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<Shared>();
  const target = targetOf(flags);
  if (!isTerminal()) {
    throw new CliFailure(EXIT.refused, "there is no terminal for an editor", "use config patch");
  }
  const before = await stored(target, await gate(target));
  const text = stringify(before);
  const edited = editText(text);
  const after: unknown = parse(edited);
  if (!isObject(after)) throw new CliFailure(EXIT.usage, "that is not a map of settings");
  const body = patchBetween(before, after);
  if (Object.keys(body).length === 0) {
    say("nothing was changed");
    return;
  }
  say(lineDiff(text, stringify(after)));
  await agree("Apply this change?", flags.yes === true);
  await apply(target, body, flags);
}

function editText(text: string): string {
  const dir = mkdtempSync(join(tmpdir(), "understudy-config-"));
  const file = join(dir, "config.yml");
  try {
    writeFileSync(file, text, { mode: 0o600 });
    const editor = process.env["VISUAL"] ?? process.env["EDITOR"] ?? "vi";
    // An editor may come with arguments of its own, as in EDITOR="code --wait".
    const [program = "vi", ...args] = editor.split(" ");
    const { status } = spawnSync(program, [...args, file], { stdio: "inherit" });
    if (status !== 0) throw new CliFailure(EXIT.refused, `${editor} failed`, "nothing was changed");
    return readFileSync(file, "utf8");
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

export function registerConfig(program: Command): void {
  const config = program.command("config").description("check, show and change configuration");
  config
    .command("check")
    .argument("[file]", "a node's file")
    .description("would the agent start with this file?")
    .option("--strict", "warnings fail too")
    .action(check);
  config
    .command("show")
    .description("the dynamic configuration of the cluster")
    .option("--json", "for programs")
    .action(show);
  config
    .command("patch")
    .argument("<setting=value...>", "e.g. ttl=20 postgresql.parameters.work_mem=64MB; null deletes")
    .description("change settings of the whole cluster")
    .option("--json", "for programs")
    .action(patch);
  config
    .command("edit")
    .description("change the cluster's settings in an editor")
    .option("-y, --yes", "do not ask")
    .action(edit);
}
