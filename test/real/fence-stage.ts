// What the tests of the fence stand on: a small PostgreSQL 15 of their own, a bundled fence, agents to kill.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { build } from "esbuild";
import { createFence, type FenceClient } from "../../src/adapters/fence/client.ts";
import { readLockHolder } from "../../src/adapters/fence/lock.ts";
import { takeDown } from "../../src/adapters/fence/takedown.ts";
import { createClock } from "../../src/adapters/system/clock.ts";
import { createLog } from "../../src/adapters/system/log.ts";
import { actAs } from "../../src/adapters/system/os-user.ts";
import { readProcess } from "../../src/adapters/system/process-list.ts";
import { lookAtServer, type ServerLook } from "../../src/adapters/system/server-look.ts";
import { readPostmasterFile } from "../../src/adapters/system/shared-memory.ts";
import type { ServerCommand } from "../../src/ports/fence.ts";
import type { Plan } from "./fence-agent.ts";

const BIN_DIR = "/usr/lib/postgresql/15/bin";
const WAIT_LIMIT_MS = 20_000;

export const clock = createClock();
export const signal = (): AbortSignal => new AbortController().signal;

/** Waits for a named condition, with a limit: never for a while. */
export async function until(name: string, isTrue: () => boolean): Promise<void> {
  const end = Date.now() + WAIT_LIMIT_MS;
  while (!isTrue()) {
    if (Date.now() > end) throw new Error(`waited ${WAIT_LIMIT_MS} ms in vain: ${name}`);
    await pause(5);
  }
}

/** A home for one server and its fence. Disposing it leaves no process, no shared memory, no directory. */
export class FenceStage {
  readonly root: string;
  readonly dataDir: string;
  readonly stateDir: string;
  readonly program: string;
  readonly user = actAs("postgres");
  readonly #clients: FenceClient[] = [];
  readonly #children: ChildProcess[] = [];

  private constructor(root: string) {
    this.root = root;
    this.dataDir = join(root, "data");
    this.stateDir = join(root, "state");
    this.program = join(root, "fence.mjs");
  }

  static async open(): Promise<FenceStage> {
    const stage = new FenceStage(mkdtempSync(join(tmpdir(), "us-fence-")));
    const { root, user, program } = stage;
    chmodSync(root, 0o755);
    mkdirSync(join(root, "run"));
    if (user) chownSync(join(root, "run"), user.uid, user.gid);
    mkdirSync(stage.dataDir, { mode: 0o700 });
    if (user) chownSync(stage.dataDir, user.uid, user.gid);
    await bundle("src/adapters/fence/main.ts", program);
    stage.asServer("initdb", "-D", stage.dataDir, "-A", "trust", "-N", "-U", "postgres");
    return stage;
  }

  /** A client of this stage's fence, as an agent would make it. */
  client(): FenceClient {
    const client = createFence({
      clock,
      log: createLog({ level: "error" }),
      stateDir: this.stateDir,
      dataDir: this.dataDir,
      fenceProgram: this.program,
      user: this.user,
      idleExitMs: 60_000,
    });
    this.#clients.push(client);
    return client;
  }

  /** Another agent process, to be killed or stopped: it starts the server, arms the fence and says so. */
  async agent(term: number, armMs: number): Promise<ChildProcess> {
    const script = join(this.root, "agent.mjs");
    await bundle("test/real/fence-agent.ts", script);
    const { stateDir, dataDir, program, user } = this;
    const options = { stateDir, dataDir, fenceProgram: program, user };
    const plan: Plan = { options, term, armMs, command: this.command() };
    const child = spawn(process.execPath, [script, JSON.stringify(plan)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#children.push(child);
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    await until("the agent says that it has armed", () => said.includes("armed"));
    return child;
  }

  command(): ServerCommand {
    return {
      program: join(BIN_DIR, "postgres"),
      args: ["-D", this.dataDir, "-k", join(this.root, "run"), "-c", "listen_addresses="],
      dataDir: this.dataDir,
      environment: { LC_ALL: "C" },
      logFile: join(this.root, "run", "server.log"),
    };
  }

  look(): ServerLook {
    return lookAtServer({ dataDir: this.dataDir });
  }

  fencePid(): number {
    const holder = readLockHolder(this.stateDir);
    if (holder === undefined) throw new Error("no fence lives");
    return holder.pid;
  }

  fenceWeightKb(): number {
    const status = readFileSync(`/proc/${this.fencePid()}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
  }

  hasFence(): boolean {
    return readLockHolder(this.stateDir) !== undefined;
  }

  async serverAnswers(): Promise<void> {
    await until("the server answers", () => {
      try {
        return this.sql("select 1") === "1";
      } catch {
        return false;
      }
    });
  }

  sql(text: string): string {
    return this.asServer(...this.psql(text)).trim();
  }

  /** A session that is still at work when this returns; its backend commits until it is ended. */
  async busySession(): Promise<ChildProcess> {
    this.sql("create table if not exists beats (n bigint)");
    const loop = `do $$ begin loop insert into beats values (1); commit; end loop; end $$`;
    const [program, ...args] = this.psql(loop);
    const child = spawn(join(BIN_DIR, program), args, { stdio: "ignore", ...this.#identity() });
    this.#children.push(child);
    await until("the session commits", () => Number(this.sql("select count(*) from beats")) > 0);
    return child;
  }

  asServer(program: string, ...args: readonly string[]): string {
    return execFileSync(join(BIN_DIR, program), args, {
      encoding: "utf8",
      cwd: this.root,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: WAIT_LIMIT_MS,
      ...this.#identity(),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) child.kill("SIGKILL");
    for (const client of this.#clients) client.close();
    const fence = readLockHolder(this.stateDir);
    if (fence !== undefined) {
      process.kill(fence.pid, "SIGKILL");
      await until("the fence is gone", () => readProcess(fence.pid) === undefined);
    }
    const now = () => clock.now();
    await takeDown({ dataDir: this.dataDir, now, graceMs: 0, timeoutMs: WAIT_LIMIT_MS });
    const segment = readPostmasterFile(this.dataDir)?.segment;
    if (segment !== undefined) removeSegment(segment.id);
    rmSync(this.root, { recursive: true, force: true });
  }

  psql(text: string): [string, ...string[]] {
    return ["psql", "-XAtq", "-h", join(this.root, "run"), "-U", "postgres", "-c", text];
  }

  #identity(): { uid?: number; gid?: number } {
    return this.user === undefined ? {} : { uid: this.user.uid, gid: this.user.gid };
  }
}

function removeSegment(id: number): void {
  try {
    execFileSync("ipcrm", ["-m", String(id)], { stdio: "ignore" });
  } catch {
    // The server removed it itself.
  }
}

async function bundle(entry: string, outfile: string): Promise<void> {
  await build({
    absWorkingDir: join(import.meta.dirname, "../.."),
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    logLevel: "warning",
  });
}
