// The field's own tools, run beside a lab: patronictl, HAProxy and vip-manager as their makers ship them.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import type { LabRecord } from "../../src/lab/record.ts";

const execute = promisify(execFile);
const LIMIT_MS = 90_000;

export interface Answer {
  readonly code: number;
  /** What it printed and what it complained of, in one. */
  readonly text: string;
}

/** Runs a program to its end; `input` is what a person types. */
export async function runTool(
  program: string,
  args: readonly string[],
  { env = {}, input = "" }: { readonly env?: Record<string, string>; readonly input?: string } = {},
): Promise<Answer> {
  try {
    const running = execute(program, [...args], {
      timeout: LIMIT_MS,
      env: { ...process.env, ...env },
    });
    // Whoever reads nothing may have left before anything is typed.
    running.child.stdin?.on("error", () => undefined);
    running.child.stdin?.end(input);
    const { stdout, stderr } = await running;
    return { code: 0, text: stdout + stderr };
  } catch (error) {
    const failed = error as { code?: number; stdout?: string; stderr?: string };
    return { code: failed.code ?? 1, text: `${failed.stdout ?? ""}${failed.stderr ?? ""}` };
  }
}

/** patronictl with a configuration of its own, as an operator's machine has it. */
export function createPatronictl(lab: LabRecord) {
  const file = join(lab.dir, "patronictl.yml");
  const hosts = lab.etcd.map(({ clientUrl }) => clientUrl.replace("http://", ""));
  writeFileSync(file, stringify({ scope: lab.scope, etcd3: { hosts: hosts.join(",") } }));
  const env = { PGUSER: lab.user, PGPASSWORD: lab.password };
  return (command: string, args: readonly string[] = [], input = ""): Promise<Answer> =>
    runTool("patronictl", ["-c", file, command, lab.scope, ...args], { env, input });
}

/** HAProxy's part of Patroni's documentation: one port for the primary, one for its standbys. */
export function haproxyConfig(lab: LabRecord, ports: { write: number; read: number }): string {
  const server = "default-server inter 1s fall 3 rise 2 on-marked-down shutdown-sessions";
  const members = lab.members.map(
    ({ name, address, port, restPort }) =>
      `    server ${name} ${address}:${port} maxconn 100 check port ${restPort}`,
  );
  const listen = (name: string, port: number, check: string): readonly string[] => [
    `listen ${name}`,
    `    bind 127.0.0.1:${port}`,
    `    option httpchk ${check}`,
    "    http-check expect status 200",
    `    ${server}`,
    ...members,
  ];
  return [
    "global",
    "    maxconn 100",
    "defaults",
    "    mode tcp",
    "    retries 2",
    "    timeout client 30m",
    "    timeout connect 4s",
    "    timeout server 30m",
    "    timeout check 5s",
    ...listen("primary", ports.write, "OPTIONS /primary"),
    ...listen("standbys", ports.read, "GET /replica"),
    "",
  ].join("\n");
}

const fetched = join(import.meta.dirname, "../../.cache/vip-manager/usr/bin/vip-manager");

/** A vip-manager of version 2 or newer: the unpacked one, or the system's; undefined when there is none. */
export async function findVipManager(): Promise<string | undefined> {
  if (existsSync(fetched)) return fetched;
  const { text } = await runTool("vip-manager", ["--version"]);
  return /\b(?:[2-9]|[1-9]\d)\.\d+\./.test(text) ? "vip-manager" : undefined;
}

/** Starts a tool that runs until it is stopped; what it says goes to a log. */
export async function startTool(
  program: string,
  args: readonly string[],
  log: string,
): Promise<() => Promise<void>> {
  const said = openSync(log, "a");
  const child = spawn(program, [...args], { stdio: ["ignore", said, said] });
  closeSync(said);
  await once(child, "spawn");
  const ended = once(child, "exit");
  return async () => {
    child.kill("SIGTERM");
    await ended;
  };
}
