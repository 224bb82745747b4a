// Real agents for a test: each with an address, a folder and a file of its own, and one small etcd for all of them.
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { readLockHolder } from "../../src/adapters/fence/lock.ts";
import { takeDown } from "../../src/adapters/fence/takedown.ts";
import { callHttp, type HttpCall, type TlsMaterial } from "../../src/adapters/http/client.ts";
import { createClock } from "../../src/adapters/system/clock.ts";
import { actAs } from "../../src/adapters/system/os-user.ts";
import { readProcess } from "../../src/adapters/system/process-list.ts";
import { lookAtServer } from "../../src/adapters/system/server-look.ts";
import { readPostmasterFile } from "../../src/adapters/system/shared-memory.ts";
import { freePorts } from "../../src/lab/addresses.ts";
import { AGENT_FLAGS } from "../../src/lab/nodes.ts";
import { patchConfig } from "../../src/model/wire/config.ts";
import type { JsonObject } from "../../src/model/wire/json.ts";
import type { StatusJson } from "../../src/model/wire/status.ts";
import { bundlePrograms } from "./bundle.ts";
import { type Etcd, type EtcdOptions, startEtcd } from "./etcd.ts";

const WAIT_LIMIT_MS = 40_000;
const REST_LIMIT_MS = 5000;
const PROGRAM_LIMIT_MS = 30_000;
/** A command that waits for a job may wait for a whole restore on a slow machine. */
const COMMAND_LIMIT_MS = 120_000;
export const BIN_DIR = "/usr/lib/postgresql/15/bin";
export const PASSWORD = "correct-horse";

const serverUser = actAs("postgres");
const asServerUser = serverUser === undefined ? {} : { uid: serverUser.uid, gid: serverUser.gid };
const clock = createClock();
const runFile = promisify(execFile);

/** Waits for a named condition, with a limit; when it never comes true, tells what there was to see instead. */
export async function until(
  name: string,
  isTrue: () => Promise<boolean> | boolean,
  seen: () => string = () => "",
): Promise<void> {
  const end = Date.now() + WAIT_LIMIT_MS;
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error(`waited ${WAIT_LIMIT_MS} ms in vain: ${name}\n${seen()}`);
    await pause(20);
  }
}

export interface Ended {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
}

/** A home for agents. Disposing it leaves no process, no shared memory, no mount and no directory. */
export class AgentStage {
  readonly root = mkdtempSync(join(tmpdir(), "us-agent-"));
  readonly bin = join(this.root, "bin");
  readonly #nodes: TestAgent[] = [];
  readonly #etcds: Etcd[] = [];

  private constructor() {
    chmodSync(this.root, 0o755);
  }

  /** `archives`: with the worker that takes WAL into the repositories, which other tests need not wait for. */
  static async open({ archives = false } = {}): Promise<AgentStage> {
    const stage = new AgentStage();
    await bundlePrograms(stage.bin, {
      agent: "src/agent/main.ts",
      fence: "src/adapters/fence/main.ts",
      doctor: "src/doctor/main.ts",
      cli: "src/cli/main.ts",
      worker: "src/worker/main.ts",
      ...(archives && { vault: "src/vault/main.ts" }),
    });
    return stage;
  }

  async etcd(options: EtcdOptions = {}): Promise<Etcd> {
    const etcd = await startEtcd(options);
    this.#etcds.push(etcd);
    return etcd;
  }

  /** In the order in which they were made. */
  get nodes(): readonly TestAgent[] {
    return this.#nodes;
  }

  /** Runs etcdctl against the first store. */
  store(...args: readonly string[]): Promise<string> {
    const [etcd] = this.#etcds;
    if (etcd === undefined) throw new Error("there is no store");
    return etcd.ctl(...args);
  }

  /** A node with an address of its own. `change` is merged into its file: null removes a key. */
  async node(name: string, change: JsonObject = {}, endpoints?: readonly string[]) {
    const address = addressFor(this.root, this.#nodes.length + 1);
    const ports = await freePorts([address]);
    const hosts = endpoints ?? this.#etcds.flatMap((etcd) => etcd.endpoints);
    const folder = `${String(this.#nodes.length + 1)}-${name}`;
    const node = new TestAgent(this, { name, folder, address, ports, hosts });
    this.#nodes.push(node);
    node.change(change);
    return node;
  }

  /** Runs the command line to its end. */
  async cli(...args: readonly string[]): Promise<Ended> {
    const child = spawn(process.execPath, [join(this.bin, "cli.mjs"), ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: COMMAND_LIMIT_MS,
      env: { PATH: process.env["PATH"] ?? "", NO_COLOR: "1" },
    });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
    const exit = await new Promise<number | null>((resolve) => child.once("close", resolve));
    return { exit, out, err };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.#nodes) await node.end();
    for (const etcd of this.#etcds) await etcd[Symbol.asyncDispose]();
    for (const path of mountsBelow(this.root)) execFileSync("umount", ["-l", path]);
    rmSync(this.root, { recursive: true, force: true });
  }
}

interface Place {
  readonly name: string;
  readonly folder: string;
  readonly address: string;
  readonly ports: { readonly postgres: number; readonly rest: number };
  readonly hosts: readonly string[];
}

/** One node: its file, its agent as a child process, and what can be seen of it from outside. */
export class TestAgent {
  readonly name: string;
  readonly address: string;
  readonly dir: string;
  file: string;
  readonly dataDir: string;
  readonly stateDir: string;
  readonly port: number;
  readonly restPort: number;
  /** Of its store. */
  readonly hosts: readonly string[];
  readonly #stage: AgentStage;
  #yaml: JsonObject;
  #tls: TlsMaterial | undefined;
  #launcher: readonly string[] = [];
  #child: ChildProcess | undefined;
  #said = "";

  constructor(stage: AgentStage, { name, folder, address, ports, hosts }: Place) {
    this.#stage = stage;
    this.name = name;
    this.address = address;
    this.port = ports.postgres;
    this.restPort = ports.rest;
    this.hosts = hosts;
    this.dir = join(stage.root, folder);
    mkdirSync(this.dir, { mode: 0o700 });
    if (serverUser !== undefined) chownSync(this.dir, serverUser.uid, serverUser.gid);
    this.file = join(this.dir, "understudy.yml");
    this.dataDir = join(this.dir, "data");
    this.stateDir = join(this.dir, "state");
    this.#yaml = this.#usual(hosts);
  }

  get apiUrl(): string {
    const scheme = this.#tls === undefined ? "http" : "https";
    return `${scheme}://${this.address}:${this.restPort}`;
  }

  /** From now on its REST API is asked with these certificates. */
  secure(tls: TlsMaterial): void {
    this.#tls = tls;
  }

  /** Everything that the agent has written to stderr since its last start. */
  get said(): string {
    return this.#said;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined || !this.isRunning) throw new Error(`the agent of ${this.name} is gone`);
    return pid;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && !this.#child.signalCode;
  }

  /** Writes the node's file anew with this merged into it. */
  change(change: JsonObject): void {
    this.#yaml = patchConfig(this.#yaml, change);
    this.writeText(stringify(this.#yaml));
  }

  writeText(text: string): void {
    writeFileSync(this.file, text, { mode: 0o600 });
  }

  /**
   * Gives the node's folder a small file system of its own. Who is not root may mount one in a namespace of his own,
   * where the agent then lives as the same user.
   */
  smallDisk(megabytes: number): void {
    this.file = `${this.dir}.yml`;
    this.change({});
    const mount = ["mount", "-t", "tmpfs", "-o", `size=${megabytes}m,mode=755`, "us-agent"];
    if (process.getuid?.() === 0) {
      const [program = "", ...args] = mount;
      execFileSync(program, [...args, this.dir]);
      this.giveToServer(this.dir);
      return;
    }
    const become = `--map-user=${process.getuid?.()} --map-group=${process.getgid?.()}`;
    const script = `${mount.join(" ")} "$0" && exec unshare --user ${become} "$@"`;
    const alone = ["unshare", "--user", "--map-root-user", "--mount"];
    this.#launcher = [...alone, "sh", "-c", script, this.dir];
  }

  /** The node's folder as its agent sees it, for as long as that lives. */
  get seenDir(): string {
    return this.#launcher.length === 0 ? this.dir : `/proc/${this.pid}/root${this.dir}`;
  }

  /** Starts the agent without waiting for anything. */
  start(): void {
    if (this.isRunning) throw new Error(`the agent of ${this.name} runs already`);
    this.#said = "";
    const args = [join(this.#stage.bin, "agent.mjs"), "-c", this.file];
    const [program, ...more] = [...this.#launcher, process.execPath, ...AGENT_FLAGS, ...args];
    const child = spawn(program ?? "", more, { stdio: ["ignore", "ignore", "pipe"] });
    child.stderr.on("data", (chunk: Buffer) => {
      this.#said += chunk.toString();
    });
    this.#child = child;
  }

  /** Starts the agent and waits until it leads a server that takes writes. */
  async startAndLead(): Promise<void> {
    this.start();
    await this.untilReason("leading");
  }

  /** Waits until the agent has ended by itself; answers its exit code and the three lines. */
  async ended(): Promise<{ readonly exit: number | null; readonly lines: readonly string[] }> {
    await until(
      `the agent of ${this.name} ends`,
      () => !this.isRunning,
      () => this.said,
    );
    const isTalk = (line: string) => line !== "" && !line.startsWith("{");
    return { exit: this.#child?.exitCode ?? null, lines: this.said.split("\n").filter(isTalk) };
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  /** SIGTERM, then the exit code. */
  async stop(): Promise<number | null> {
    this.signal("SIGTERM");
    return (await this.ended()).exit;
  }

  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await until(`the agent of ${this.name} is killed`, () => !this.isRunning);
  }

  /** What the agent says of itself; undefined while it does not answer. */
  async status(): Promise<StatusJson | undefined> {
    try {
      const { text } = await this.rest("GET", "/understudy/status");
      return JSON.parse(text) as StatusJson;
    } catch {
      return undefined;
    }
  }

  async untilStatus(what: string, isTrue: (status: StatusJson) => boolean): Promise<StatusJson> {
    let last: StatusJson | undefined;
    await until(
      `${this.name}: ${what}`,
      async () => {
        last = await this.status();
        if (last === undefined && this.#child !== undefined && !this.isRunning) {
          throw new Error(`the agent of ${this.name} has ended before ${what}\n${this.said}`);
        }
        return last !== undefined && isTrue(last);
      },
      () => `${JSON.stringify(last?.node)}\n${JSON.stringify(last?.warnings)}\n${this.said}`,
    );
    return last as StatusJson;
  }

  untilReason(reason: string): Promise<StatusJson> {
    return this.untilStatus(
      `the reason is ${reason}`,
      ({ node }) => node.because?.reason === reason,
    );
  }

  async untilSaid(what: string | RegExp): Promise<void> {
    const isSaid = () =>
      typeof what === "string" ? this.said.includes(what) : what.test(this.said);
    await until(`${this.name} says ${what}`, isSaid, () => this.said);
  }

  /** One request to the agent's REST API. */
  async rest(method: HttpCall["method"], path: string, body?: unknown) {
    const answer = await callHttp({
      method,
      url: `${this.apiUrl}${path}`,
      timeoutMs: REST_LIMIT_MS,
      ...(this.#tls && { tls: this.#tls }),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, text: answer.body };
  }

  /** One statement as the superuser over TCP, as an application would send it. */
  async sql(statement: string): Promise<string> {
    const { stdout } = await runFile(
      join(BIN_DIR, "psql"),
      ["-XAtq", "-h", this.address, "-p", String(this.port), "-U", "postgres", "-c", statement],
      {
        cwd: "/",
        timeout: PROGRAM_LIMIT_MS,
        env: { PGPASSWORD: PASSWORD, PGDATABASE: "postgres", PGCONNECT_TIMEOUT: "5" },
      },
    );
    return stdout.trim();
  }

  /** Waits until the server answers a statement. */
  async answers(statement = "SELECT 1"): Promise<string> {
    let row = "";
    await until(`${this.name} answers ${statement}`, async () => {
      try {
        row = await this.sql(statement);
        return true;
      } catch {
        return false;
      }
    });
    return row;
  }

  postmasterPid(): number {
    const pid = lookAtServer({ dataDir: this.dataDir }).postmaster?.pid;
    if (pid === undefined) throw new Error(`${this.name} has no postmaster`);
    return pid;
  }

  isServerDown(): boolean {
    return lookAtServer({ dataDir: this.dataDir }).isDown;
  }

  fencePid(): number | undefined {
    return readLockHolder(this.stateDir)?.pid;
  }

  /** Hands a tree to the server's user, as initdb would have left it. */
  giveToServer(path: string): void {
    if (serverUser === undefined) return;
    execFileSync("chown", ["-R", `${serverUser.uid}:${serverUser.gid}`, path]);
  }

  /** Runs one of the server's programs as the server's user. */
  asServer(program: string, ...args: readonly string[]): string {
    return execFileSync(join(BIN_DIR, program), args, {
      encoding: "utf8",
      cwd: "/",
      stdio: ["ignore", "pipe", "pipe"],
      timeout: PROGRAM_LIMIT_MS,
      ...asServerUser,
    });
  }

  async end(): Promise<void> {
    if (this.isRunning) await this.kill();
    const fence = this.fencePid();
    if (fence !== undefined) {
      process.kill(fence, "SIGKILL");
      await until("the fence is gone", () => readProcess(fence) === undefined);
    }
    const now = () => clock.now();
    await takeDown({ dataDir: this.dataDir, now, graceMs: 0, timeoutMs: 10_000 });
    const segment = readPostmasterFile(this.dataDir)?.segment;
    if (segment !== undefined) removeSegment(segment.id);
  }

  #usual(hosts: readonly string[]): JsonObject {
    return {
      scope: "stage",
      name: this.name,
      restapi: { listen: `${this.address}:${this.restPort}` },
      etcd3: { hosts: [...hosts] },
      bootstrap: {
        dcs: {
          ttl: 10,
          loop_wait: 1,
          retry_timeout: 3,
          postgresql: {
            // No shared memory file stays in /dev/shm when a server is killed.
            parameters: { shared_buffers: "16MB", dynamic_shared_memory_type: "mmap" },
          },
        },
        // Small segments: copies and checksums of a data directory stay quick.
        initdb: [{ encoding: "UTF8" }, { "wal-segsize": 1 }],
      },
      postgresql: {
        listen: `${this.address}:${this.port}`,
        data_dir: this.dataDir,
        bin_dir: BIN_DIR,
        authentication: {
          superuser: { username: "postgres", password: PASSWORD },
          replication: { username: "replicator", password: `${PASSWORD}-r` },
        },
        pg_hba: ["local all all scram-sha-256", "host all,replication all all scram-sha-256"],
      },
      understudy: { state_dir: this.stateDir, socket_dir: join(this.dir, "run") },
    };
  }
}

/** Every stage gets a block of loopback addresses of its own, apart from those of the labs. */
function addressFor(root: string, host: number): string {
  const [a = 0, b = 0] = createHash("sha256").update(root).digest();
  return `127.${128 + (a % 100)}.${1 + (b % 250)}.${host}`;
}

/** One number for a whole tree: names, kinds, owners, modes and contents. */
export function checksum(path: string): string {
  const hash = createHash("sha256");
  const add = (at: string): void => {
    const { mode, uid, gid } = lstatSync(at);
    hash.update(`${at.slice(path.length)} ${mode} ${uid}:${gid}\n`);
    if (lstatSync(at).isSymbolicLink()) hash.update(readlinkSync(at));
    else if (lstatSync(at).isFile()) hash.update(readFileSync(at));
    else if (lstatSync(at).isDirectory()) {
      for (const name of readdirSync(at).toSorted()) add(join(at, name));
    }
  };
  if (existsSync(path)) add(path);
  return hash.digest("hex");
}

function mountsBelow(root: string): readonly string[] {
  return readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((path) => path.startsWith(`${root}/`));
}

function removeSegment(id: number): void {
  try {
    execFileSync("ipcrm", ["-m", String(id)], { stdio: "ignore" });
  } catch {
    // The server removed it itself.
  }
}
