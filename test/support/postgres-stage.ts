// What the tests of the PostgreSQL adapter stand on: nodes of their own, each with a fence, a socket and a port.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { build } from "esbuild";
import { createFence, type FenceClient } from "../../src/adapters/fence/client.ts";
import { takeDown } from "../../src/adapters/fence/takedown.ts";
import { createPostgres } from "../../src/adapters/postgres/postgres.ts";
import { Session } from "../../src/adapters/postgres/session.ts";
import { createClock } from "../../src/adapters/system/clock.ts";
import { createLog } from "../../src/adapters/system/log.ts";
import { actAs } from "../../src/adapters/system/os-user.ts";
import { Secret } from "../../src/model/secret.ts";
import type { LocalServer, SqlState } from "../../src/model/server.ts";
import {
  type BootstrapSettings,
  DEFAULT_TAGS,
  type NodeSettings,
  type PostgresSettings,
} from "../../src/model/settings.ts";
import { FIRST_BRANCH, type Lineage } from "../../src/model/timeline.ts";
import type { Postgres, ServerPlan, Upstream } from "../../src/ports/postgres.ts";
import { freePort } from "./free-port.ts";

const WAIT_LIMIT_MS = 30_000;
const LOOK_LIMIT_MS = 5000;
export const START_LIMIT_MS = 30_000;

export const clock = createClock();
export const never = (): AbortSignal => new AbortController().signal;
export const PLAN: ServerPlan = { parameters: {}, pgHba: [], pgIdent: [], members: 3 };

/** Waits for a named condition, with a limit: never for a while. */
export async function until(name: string, isTrue: () => Promise<boolean> | boolean) {
  const end = Date.now() + WAIT_LIMIT_MS;
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error(`waited ${WAIT_LIMIT_MS} ms in vain: ${name}`);
    await pause(10);
  }
}

/** A directory that the server's user may enter, and the nodes in it. Disposing it leaves nothing behind. */
export class PostgresStage {
  readonly root = mkdtempSync(join(tmpdir(), "us-pg-"));
  readonly #nodes: TestNode[] = [];

  private constructor() {
    chmodSync(this.root, 0o755);
  }

  static async open(): Promise<PostgresStage> {
    const stage = new PostgresStage();
    await build({
      entryPoints: ["src/adapters/fence/main.ts"],
      outfile: join(stage.root, "fence.mjs"),
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node20",
      logLevel: "silent",
    });
    return stage;
  }

  async node(
    name: string,
    change: Partial<PostgresSettings> = {},
    bootstrap: Partial<BootstrapSettings> = {},
  ): Promise<TestNode> {
    const node = new TestNode(this.root, name, { port: await freePort(), ...change }, bootstrap);
    this.#nodes.push(node);
    return node;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.#nodes) await node.end();
    rmSync(this.root, { recursive: true, force: true });
  }
}

export class TestNode {
  readonly settings: NodeSettings;
  readonly postgres: Postgres & { close(): void };
  readonly fence: FenceClient;
  readonly user = actAs("postgres");
  /** What it was last started with. */
  plan = PLAN;
  #session: Session | undefined;

  // oxlint-disable-next-line eslint/max-params -- as the stage makes it, and nobody else
  constructor(
    root: string,
    name: string,
    change: Partial<PostgresSettings> & { port: number },
    bootstrap: Partial<BootstrapSettings>,
  ) {
    const settings = settingsOf(root, name, change);
    this.settings = { ...settings, bootstrap: { ...settings.bootstrap, ...bootstrap } };
    mkdirSync(join(root, name), { recursive: true, mode: 0o755 });
    const { stateDir, dataDir } = this.settings.postgres;
    const log = createLog({ level: "error" });
    const fenceProgram = join(root, "fence.mjs");
    this.fence = createFence({ clock, log, stateDir, dataDir, fenceProgram, user: this.user });
    this.postgres = createPostgres({ settings: this.settings, fence: this.fence, clock, log });
  }

  get dataDir(): string {
    return this.settings.postgres.dataDir;
  }

  get stateDir(): string {
    return this.settings.postgres.stateDir;
  }

  upstream(slot?: string): Upstream {
    return { ...this.settings.postgres.connectAddress, member: this.settings.name, slot };
  }

  look(plan = this.plan): Promise<LocalServer> {
    return this.postgres.observe(plan, LOOK_LIMIT_MS);
  }

  /** The answer of the running server. */
  async sqlState(): Promise<SqlState> {
    const { sql } = await this.look();
    if (sql.kind === "unknown") throw new Error(sql.why);
    return sql.value;
  }

  /** A running primary with the roles. */
  async bootstrap(plan = PLAN): Promise<void> {
    this.plan = plan;
    await this.fence.ensure(never());
    await this.postgres.initialise(plan, () => undefined, never());
    await this.postgres.startPrimary(plan, START_LIMIT_MS, never());
    await this.postgres.recordLineage([FIRST_BRANCH], never());
    await this.postgres.finishBootstrap(never());
  }

  /** A running standby of `primary`, cloned from it, with a slot of its own name. */
  async cloneFrom(primary: TestNode, lineage: Lineage = [FIRST_BRANCH]) {
    await this.fence.ensure(never());
    const { name } = this.settings;
    await primary.postgres.syncSlots([name], [], {}, never());
    await this.postgres.clone(primary.upstream(name), lineage, () => undefined, never());
    await this.postgres.startStandby(this.plan, primary.upstream(name), START_LIMIT_MS, never());
  }

  /** One statement, as the application's superuser over TCP. */
  async query(statement: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
    if (this.#session?.isUsable !== true) {
      const { connectAddress, superuser, database } = this.settings.postgres;
      const target = { ...connectAddress, user: superuser.username, database };
      const password = superuser.password?.reveal();
      this.#session = await Session.open({ ...target, password }, LOOK_LIMIT_MS);
    }
    return this.#session.query(statement, [], WAIT_LIMIT_MS);
  }

  async isStreaming(): Promise<boolean> {
    const { sql } = await this.look();
    return sql.kind === "known" && sql.value.walReceiver?.status === "streaming";
  }

  /** The standby has replayed everything that the primary has flushed. */
  async hasCaughtUp(primary: TestNode): Promise<boolean> {
    const [theirs, mine] = await Promise.all([primary.sqlState(), this.sqlState()]);
    return mine.replayedLsn !== undefined && mine.replayedLsn >= theirs.position;
  }

  disconnect(): void {
    this.#session?.destroy();
  }

  async end(): Promise<void> {
    this.disconnect();
    this.postgres.close();
    const { dataDir } = this;
    await takeDown({ dataDir, now: () => clock.now(), graceMs: 300, timeoutMs: 10_000 });
    await this.fence.quit(never()).catch(() => this.fence.close());
  }
}

function settingsOf(
  root: string,
  name: string,
  change: Partial<PostgresSettings> & { port: number },
): NodeSettings {
  const base = join(root, name);
  const address = { host: "127.0.0.1", port: change.port };
  const rest = {
    listen: address,
    connectAddress: address,
    headers: {},
    allowlist: [],
    allowsMembers: false,
  };
  return {
    scope: "stage",
    name,
    namespace: "/service/",
    rest,
    store: { kind: "etcd", endpoints: [] },
    postgres: {
      listen: ["127.0.0.1"],
      connectAddress: address,
      dataDir: join(base, "data"),
      stateDir: join(base, "state"),
      binDir: "",
      binNames: {},
      socketDir: join(base, "run"),
      database: "postgres",
      superuser: { username: "postgres", password: new Secret("sup'er\\secret") },
      replication: { username: "replicator", password: new Secret("rep:secret") },
      rewind: { username: "rewinder", password: new Secret("rew-secret") },
      parameters: {},
      pgHba: [],
      pgIdent: [],
      basebackupOptions: [],
      cloneMethods: ["basebackup"],
      callbacks: {},
      prePromote: undefined,
      beforeStop: undefined,
      osUser: "postgres",
      ...change,
    },
    bootstrap: { config: {}, initdb: [], method: undefined, pgHba: [], postBootstrap: undefined },
    tags: DEFAULT_TAGS,
    watchdog: { mode: "off", device: "/dev/watchdog", safetyMarginMs: 0, isForTests: false },
    log: { level: "error", file: undefined, isPatronis: false },
  };
}

/** Runs a program of the server's package as the server's user. */
export function asServer(program: string, ...args: readonly string[]): string {
  const user = actAs("postgres");
  return execFileSync(join("/usr/lib/postgresql/15/bin", program), args, {
    encoding: "utf8",
    cwd: "/",
    stdio: ["ignore", "pipe", "pipe"],
    ...(user && { uid: user.uid, gid: user.gid }),
  });
}
