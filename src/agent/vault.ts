// Who keeps the vault worker alive, and what did it last say? The agent only starts it and listens: it never waits for it.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { request } from "node:http";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import type { HaWorld } from "../controllers/ha/world.ts";
import { valueOf } from "../model/known.ts";
import type { NodeSettings } from "../model/settings.ts";
import { after, type Instant, type Ms } from "../model/time.ts";
import { printFacts, type VaultFacts } from "../model/vault-facts.ts";
import { vaultDir, vaultSocket } from "../model/wal-gate.ts";
import { isObject } from "../model/wire/json.ts";
import type { VaultJson } from "../model/wire/vault.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import { programBeside } from "./compose-shared.ts";

export interface VaultKeeper {
  start(): void;
  /** What the worker said last; a warning of our own when it says nothing. */
  state(): VaultJson;
  /** Hears of every look; the worker is told at its next question. */
  onLook(world: HaWorld): void;
  /** Ends the worker; PostgreSQL keeps its WAL until the next one. */
  close(): void;
}

export interface VaultKeeping {
  readonly settings: NodeSettings;
  /** The node's file: the worker reads it for itself, since secrets are on no command line. */
  readonly file: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** A small heap: what goes through is buffers, which lie outside of it. */
const NODE_FLAGS = ["--max-old-space-size=128", "--no-warnings"];
/** Each file on its way waits for two syncs in each repository: with Node's usual four threads everything else would too. */
const MANY_SYNCS = { UV_THREADPOOL_SIZE: "16" };
const LOOK_EVERY_MS: Ms = 2_000;
const LOOK_LIMIT_MS: Ms = 5_000;
const RESTART_AFTER_MS: Ms = 2_000;
/** A worker that has not answered for so long is a warning. */
const SILENT_AFTER_MS: Ms = 15_000;

/** The keeper of the node's worker; undefined when its file has no backup section. */
export function composeVault(o: VaultKeeping): VaultKeeper | undefined {
  return o.settings.backup === undefined ? undefined : new Keeper(o);
}

class Keeper implements VaultKeeper {
  readonly #o: VaultKeeping;
  readonly #socket: string;
  readonly #ending = new AbortController();
  #child: ChildProcess | undefined;
  #last: VaultJson | undefined;
  #facts: VaultFacts = { receiveFrom: undefined };
  #heardAt: Instant;

  constructor(o: VaultKeeping) {
    this.#o = o;
    this.#socket = vaultSocket(vaultDir(o.settings.postgres.stateDir));
    this.#heardAt = o.clock.now();
  }

  start(): void {
    void this.#repeat(RESTART_AFTER_MS, () => this.#live());
    void this.#repeat(LOOK_EVERY_MS, () => this.#look());
  }

  state(): VaultJson {
    const isSilent = this.#o.clock.now() > after(this.#heardAt, SILENT_AFTER_MS);
    const said = this.#last ?? NOTHING_YET;
    if (!isSilent) return said;
    const why = "the vault worker does not answer: WAL is kept here until it does";
    return { ...said, warnings: [why, ...said.warnings] };
  }

  onLook(world: HaWorld): void {
    this.#facts = factsIn(world);
  }

  close(): void {
    this.#ending.abort();
    this.#child?.kill("SIGTERM");
  }

  /** One life of the worker, from its start to its end. */
  async #live(): Promise<void> {
    const { file, log, settings } = this.#o;
    // The server's user gets its directory with the first preparations of the server; nothing archives before.
    if (!existsSync(dirname(vaultDir(settings.postgres.stateDir)))) return;
    const child = spawn(
      process.execPath,
      [...NODE_FLAGS, programBeside("vault.mjs"), file],
      // Its input ends with this process, and so does the worker.
      { stdio: ["pipe", "ignore", "pipe"], env: { ...process.env, ...MANY_SYNCS } },
    );
    this.#child = child;
    createInterface({ input: child.stderr }).on("line", (line) => passOn(line, log));
    const how = await new Promise((resolve) => {
      child.once("error", resolve);
      child.once("exit", (code, signal) => resolve(signal ?? code));
    });
    this.#child = undefined;
    if (!this.#ending.signal.aborted) log.warn("the vault worker has ended", { how });
  }

  async #look(): Promise<void> {
    const text = await ask(this.#socket, "/state", printFacts(this.#facts));
    const read: unknown = JSON.parse(text);
    if (!isObject(read) || !Array.isArray(read["repositories"])) return;
    this.#last = read as unknown as VaultJson;
    this.#heardAt = this.#o.clock.now();
  }

  async #repeat(everyMs: Ms, work: () => Promise<void>): Promise<void> {
    const { clock } = this.#o;
    const { signal } = this.#ending;
    while (!signal.aborted) {
      // A worker that cannot be asked shows as one that is silent.
      await work().catch(() => undefined);
      await clock.sleep(everyMs, signal).catch(() => undefined);
    }
  }
}

const NOTHING_YET: VaultJson = {
  warnings: [],
  waiting: { files: 0, bytes: 0 },
  budgetBytes: 0,
  receiver: { state: "elsewhere", forMs: 0 },
  repositories: [],
};

/**
 * One node receives from the primary: the first standby that streams, by name, so that what the primary's host takes with
 * it is elsewhere; the primary itself when it has no standby. Two that think so for a moment store the same bytes.
 */
export function factsIn(world: HaWorld): VaultFacts {
  const cluster = valueOf(world.store);
  const leader = cluster?.members.find(({ name }) => name === cluster.leader?.name);
  if (cluster === undefined || leader?.role !== "primary") return { receiveFrom: undefined };
  const standbys = cluster.members
    .filter(({ replicationState }) => replicationState === "streaming")
    .map(({ name }) => name)
    .toSorted();
  const [receiver = leader.name] = standbys.filter((name) => name !== leader.name);
  const { host, port } = leader;
  return { receiveFrom: receiver === world.self.name ? { host, port } : undefined };
}

function ask(socketPath: string, path: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { socketPath, path, agent: false, timeout: LOOK_LIMIT_MS, method: "POST" };
    const asked = request(options, (reply) => {
      let text = "";
      reply.setEncoding("utf8");
      reply.on("data", (part: string) => {
        text += part;
      });
      reply.on("end", () => resolve(text));
      reply.on("error", reject);
    });
    asked.on("timeout", () => asked.destroy(new Error("no answer")));
    asked.on("error", reject);
    asked.end(body);
  });
}

/** The worker writes JSON lines as we do; what else comes out of it is its last words. */
function passOn(line: string, log: Log): void {
  let read: unknown;
  try {
    read = JSON.parse(line);
  } catch {
    log.warn("the vault worker says", { words: line });
    return;
  }
  if (!isObject(read)) return;
  const { level, msg, time: _, ...fields } = read;
  const say = level === "error" || level === "warn" || level === "info" ? level : "debug";
  log[say](typeof msg === "string" ? msg : "the vault worker says", fields);
}
