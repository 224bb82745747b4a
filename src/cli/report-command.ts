// Everything that somebody needs who is to help, in one file, and no secret in it.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import type { Command } from "commander";
import { mask } from "../model/mask.ts";
import type { Secret } from "../model/secret.ts";
import { VERSION } from "../model/version.ts";
import type { StatusJson } from "../model/wire/status.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { call, look } from "./rest.ts";
import { type Shared, targetOf } from "./shared.ts";
import type { Target } from "./target.ts";
import { print, printJsonText, say } from "./terminal.ts";

const ASK_MS = 5_000;
const DOCTOR_MS = 45_000;
const TAR_MS = 60_000;
const LOG_LINES = 5_000;

interface ReportFlags extends Shared {
  readonly out?: string;
}

/** One thing that a node is asked, and the file that its answer becomes. */
interface Question {
  readonly path: string;
  readonly file: string;
  readonly method?: "POST";
  readonly timeoutMs?: number;
}

const ASK_MEMBER: readonly Question[] = [
  { path: "/understudy/status", file: "status.json" },
  { path: "/cluster", file: "cluster.json" },
  { path: "/config", file: "config.json" },
  { path: "/history", file: "history.json" },
  { path: "/metrics", file: "metrics.txt" },
  { path: "/understudy/lag", file: "lag.json" },
  { path: "/understudy/slots", file: "slots.json" },
  { path: "/understudy/events", file: "events.json" },
  { path: "/understudy/incidents", file: "incidents.json" },
  { path: "/understudy/journal", file: "journal.json" },
  { path: `/understudy/logs?source=agent&lines=${LOG_LINES}`, file: "agent-log.json" },
  { path: `/understudy/logs?source=server&lines=${LOG_LINES}`, file: "server-log.json" },
  { path: "/understudy/doctor", file: "doctor.json", method: "POST", timeoutMs: DOCTOR_MS },
];
const ASK_ROUTER: readonly Question[] = [
  { path: "/router", file: "router.json" },
  { path: "/metrics", file: "metrics.txt" },
  { path: "/understudy/pools", file: "pools.json" },
];

async function makeReport(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<ReportFlags>();
  const target = targetOf(flags);
  const name = `understudy-report-${target.scope}-${stamp()}`;
  const out = resolve(flags.out ?? `${name}.tar.gz`);
  const place = mkdtempSync(join(tmpdir(), "us-report-"));
  try {
    const folder = join(place, name);
    mkdirSync(folder);
    const missing = await fill(folder, target);
    await pack(place, name, out);
    if (flags.json === true) {
      printJsonText({ apiVersion: "understudy/v1", kind: "Report", file: out, missing });
      return;
    }
    for (const one of missing) say(`missing: ${one}`);
    print(
      `${out} has what is known of ${target.scope}; secrets are masked, names and addresses are not`,
    );
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** Writes a file for each answer, and tells what nobody answered. */
async function fill(folder: string, target: Target): Promise<readonly string[]> {
  const known = secretsOf(target.settings);
  const missing: string[] = [];
  const write = (file: string, text: string): void => {
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, mask(text, known));
  };
  write("about.json", JSON.stringify({ version: VERSION, at: new Date().toISOString() }));
  write("node-file.yml", readFileSync(target.configFile, "utf8"));
  const status = await look(target).catch((error: unknown) => {
    missing.push(error instanceof Error ? error.message : String(error));
  });
  for (const node of nodesOf(status ?? undefined)) {
    for (const question of node.questions) {
      const { text, trouble } = await ask(target, node.apiUrl, question);
      if (trouble === "") write(join(node.folder, question.file), text);
      else missing.push(`${node.folder}/${question.file}: ${trouble}`);
    }
  }
  write("missing.txt", missing.join("\n"));
  return missing.map((one) => mask(one, known));
}

interface Node {
  readonly folder: string;
  readonly apiUrl: string;
  readonly questions: readonly Question[];
}

function nodesOf(status: StatusJson | undefined): readonly Node[] {
  const members = (status?.members ?? []).filter(({ apiUrl }) => apiUrl !== "");
  return [
    ...members.map(({ name, apiUrl }) => node(name, apiUrl, ASK_MEMBER)),
    ...(status?.routers ?? []).map(({ name, apiUrl }) => node(name, apiUrl, ASK_ROUTER)),
  ];
}

/** A name from the store becomes a folder's: nothing in it leads out of the report. */
const node = (name: string, apiUrl: string, questions: readonly Question[]): Node => ({
  folder: name.replaceAll(/[^\w.-]/g, "_").replace(/^\.+/, "_"),
  apiUrl,
  questions,
});

async function ask(target: Target, apiUrl: string, { path, method, timeoutMs }: Question) {
  try {
    const { status, body } = await call(target, {
      method: method ?? "GET",
      url: `${apiUrl}${path}`,
      timeoutMs: timeoutMs ?? ASK_MS,
    });
    // A health check answers with 503 and means what it says in the body.
    const isAnswer = status === 200 || body.startsWith("{");
    return { text: body, trouble: isAnswer ? "" : `${status} ${body.split("\n")[0] ?? ""}` };
  } catch (error) {
    return { text: "", trouble: error instanceof Error ? error.message : String(error) };
  }
}

/** Every secret in a node's file, wherever it stands there. */
export function secretsOf(settings: object): readonly string[] {
  const found: string[] = [];
  const walk = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    if (isSecret(value)) found.push(value.reveal());
    else for (const inner of Object.values(value)) walk(inner);
  };
  walk(settings);
  return found;
}

const isSecret = (value: object): value is Secret =>
  "reveal" in value && typeof value.reveal === "function";

async function pack(place: string, name: string, out: string): Promise<void> {
  try {
    const args = ["-czf", out, "-C", place, name];
    await promisify(execFile)("tar", args, { timeout: TAR_MS });
  } catch (error) {
    const words = error instanceof Error ? error.message.trim().split("\n") : [String(error)];
    throw new CliFailure(
      EXIT.precondition,
      `cannot write ${out}`,
      words.at(-1) ?? "",
      "name another file with --out",
    );
  }
}

const stamp = (): string => new Date().toISOString().replaceAll(/[-:]/g, "").slice(0, 15);

export function registerReport(program: Command): void {
  program
    .command("report")
    .description("one file for whoever is to help: status, settings, logs, numbers, no secrets")
    .option("--out <file>", "where to write it")
    .option("--json", "for programs")
    .action(makeReport);
}
