// Is the cluster fit for what is asked of it? Every member's host is looked at, or this one before its first start.
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import type { Diagnosis } from "../model/doctor/check.ts";
import { CHECKS, CLUSTER_CHECKS, examine, NODE_SILENT } from "../model/doctor/examine.ts";
import type { NodeFacts } from "../model/doctor/facts.ts";
import { isObject, parseJson } from "../model/wire/json.ts";
import type { StatusJson, StatusMember } from "../model/wire/status.ts";
import { doctorScreen } from "./doctor-screen.ts";
import { CliFailure, EXIT, type ExitCode } from "./exit.ts";
import { call, look } from "./rest.ts";
import { type Shared, targetOf } from "./shared.ts";
import type { Target } from "./target.ts";
import { print, printJsonText, say, width } from "./terminal.ts";

/** A host with many databases takes its time. */
const LOOK_MS = 45_000;

interface DoctorFlags extends Shared {
  readonly fix?: boolean;
  readonly local?: boolean;
  readonly all?: boolean;
}

/** One node's answer. */
interface Answer {
  readonly name: string;
  readonly facts: NodeFacts | undefined;
  /** Each with what was done or why it could not be. */
  readonly fixes: readonly string[];
  readonly trouble: string;
}

async function showDoctor(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<DoctorFlags>();
  const target = targetOf(flags);
  const answers = await answersOf(target, flags);
  const nodes = answers.flatMap(({ facts }) => facts ?? []);
  if (nodes.length === 0) {
    const why = answers.map(({ name, trouble }) => `${name}: ${trouble}`);
    throw new CliFailure(EXIT.unreachable, "no host could be looked at", ...why);
  }
  const findings = [...answers.flatMap(silentNode), ...examine(nodes)];
  const fixes = answers.flatMap(({ name, fixes: told }) => told.map((one) => `${name}: ${one}`));
  const checks = CHECKS.length + (nodes.length > 1 ? CLUSTER_CHECKS.length : 0);
  const names = nodes.map(({ name }) => name);
  if (flags.json === true) {
    const about = { apiVersion: "understudy/v1", kind: "Doctor", asOf: new Date().toISOString() };
    printJsonText({ ...about, scope: target.scope, nodes: names, checks, fixes, items: findings });
  } else {
    const all = flags.all === true;
    print(doctorScreen({ names, checks, findings, fixes, all }, width()));
  }
  process.exitCode = exitOf(findings);
}

async function answersOf(target: Target, flags: DoctorFlags): Promise<readonly Answer[]> {
  const fix = flags.fix === true;
  const status = flags.local === true ? undefined : await look(target).catch(() => undefined);
  if (status === undefined) {
    if (flags.local !== true && flags.json !== true) {
      say("no agent answers: this is what can be seen from here, before a start");
    }
    return [await localAnswer(target, fix)];
  }
  return Promise.all(membersOf(status).map((member) => memberAnswer(target, member, fix)));
}

const membersOf = (status: StatusJson): readonly StatusMember[] =>
  status.members.filter(({ apiUrl }) => apiUrl !== "");

async function memberAnswer(target: Target, member: StatusMember, fix: boolean): Promise<Answer> {
  const { name, apiUrl } = member;
  const askedAt = Date.now();
  try {
    const url = `${apiUrl}/understudy/doctor`;
    const request = { method: "POST", url, body: { fix }, timeoutMs: LOOK_MS } as const;
    const { status, body } = await call(target, request);
    const answer = status === 200 ? answerOf(name, body) : undefined;
    if (answer !== undefined) return withClock(answer, askedAt);
    return silent(name, `${status} ${body.split("\n").slice(0, 2).join(": ")}`);
  } catch (error) {
    return silent(name, error instanceof Error ? error.message : String(error));
  }
}

const silent = (name: string, trouble: string): Answer => ({
  name,
  facts: undefined,
  fixes: [],
  trouble,
});

/** Its clock was read between question and answer: only what lies outside of that is a difference. */
function withClock(answer: Answer, askedAt: number): Answer {
  const { facts } = answer;
  if (facts === undefined) return answer;
  const late = Math.max(0, facts.wallMs - Date.now());
  const early = Math.min(0, facts.wallMs - askedAt);
  return { ...answer, facts: { ...facts, clockAheadMs: late + early } };
}

function answerOf(name: string, body: string): Answer | undefined {
  const value = parseJson(body);
  if (!isObject(value) || value["kind"] !== "DoctorFacts" || !isObject(value["facts"])) {
    return undefined;
  }
  const fixes = Array.isArray(value["fixes"]) ? (value["fixes"] as unknown[]) : [];
  return {
    name,
    facts: value["facts"] as unknown as NodeFacts,
    fixes: fixes.flatMap((fix) => (isObject(fix) ? [fixLine(fix)] : [])),
    trouble: "",
  };
}

const fixLine = (fix: Readonly<Record<string, unknown>>): string =>
  `${fix["isDone"] === true ? "done" : "not done"}: ${String(fix["told"])}`;

/** Looks at this host with the same program that the agents start. */
function localAnswer({ configFile, settings }: Target, fix: boolean): Promise<Answer> {
  const program = join(dirname(fileURLToPath(import.meta.url)), "doctor.mjs");
  const args = [program, configFile, ...(fix ? ["--fix"] : [])];
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "inherit"],
    timeout: LOOK_MS,
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString("utf8");
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () =>
      resolve(answerOf(settings.name, output) ?? silent(settings.name, "the look did not end")),
    );
  });
}

/** A member that nobody could look at is no healthy one. */
function silentNode({ name, facts, trouble }: Answer): readonly Diagnosis[] {
  if (facts !== undefined) return [];
  return [{ ...NODE_SILENT, nodes: [name], found: trouble }];
}

const exitOf = (findings: readonly Diagnosis[]): ExitCode => {
  if (findings.some(({ severity }) => severity === "critical")) return EXIT.critical;
  return findings.some(({ severity }) => severity === "warning") ? EXIT.degraded : EXIT.ok;
};

export function registerDoctor(program: Command): void {
  program
    .command("doctor")
    .description(
      "what is not as it should be, why it matters, and what to do; ends with 0, 3 warnings, 4 critical",
    )
    .option("--fix", "put right what needs no restart and loses nothing")
    .option("--local", "look at this host alone, as before the first start")
    .option("--all", "notices in full as well")
    .option("--json", "for programs")
    .action(showDoctor);
}
