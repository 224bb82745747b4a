// What tests of the pooler stand on: servers, PgBouncers before them, and clients that count their errors.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import pg from "pg";
import type { ReleaserProgram } from "../../src/adapters/pgbouncer/hold.ts";
import { createPgbouncer } from "../../src/adapters/pgbouncer/pgbouncer.ts";
import { createLog } from "../../src/adapters/system/log.ts";
import type { ReadTarget, RoutePlan, Target } from "../../src/model/route.ts";
import type { PgbouncerSettings, PooledDatabase } from "../../src/model/router-settings.ts";
import type { Pooler } from "../../src/ports/pooler.ts";
import { freePort } from "./free-port.ts";
import { clock, type TestNode } from "./postgres-stage.ts";

export const PASSWORD = "shop secret";
export const HOLD_LIMIT_MS = 20_000;

const DATABASE: PooledDatabase = {
  route: "write",
  dbname: "postgres",
  poolMode: undefined,
  poolSize: undefined,
  reservePool: undefined,
  minPoolSize: undefined,
  maxDbConnections: undefined,
};

export class PoolerStage {
  readonly root = mkdtempSync(join(tmpdir(), "us-pb-"));
  readonly #poolers: Pooler[] = [];
  #count = 0;

  static async open(): Promise<PoolerStage> {
    const stage = new PoolerStage();
    // PgBouncer's user must be able to come in.
    chmodSync(stage.root, 0o755);
    await bundle("src/adapters/pgbouncer/releaser.ts", stage.releaser.path);
    return stage;
  }

  get releaser() {
    return { nodePath: process.execPath, path: join(this.root, "releaser.mjs") };
  }

  /** Settings of a pooler of its own: app, app_ro and app_report, with the user shop. */
  async settings(change: Partial<PgbouncerSettings> = {}): Promise<PgbouncerSettings> {
    this.#count += 1;
    const base = join(this.root, `p${this.#count}`);
    mkdirSync(base);
    const file = join(base, "shop.txt");
    writeFileSync(file, `"shop" "${PASSWORD}"\n`);
    return {
      listen: { host: "127.0.0.1", port: await freePort() },
      processes: 1,
      bin: "pgbouncer",
      dir: join(base, "dir"),
      poolMode: "transaction",
      poolSize: 20,
      maxClientConn: 200,
      auth: { type: "scram-sha-256", file, queryUser: undefined, query: undefined },
      options: {},
      databases: {
        app: DATABASE,
        app_ro: { ...DATABASE, route: "read" },
        app_report: { ...DATABASE, route: "report" },
      },
      ...change,
    };
  }

  /** One more life of the agent over the same folder when it is asked for twice. */
  pooler(settings: PgbouncerSettings, releaser: ReleaserProgram = this.releaser): Pooler {
    const log = createLog({ level: "error" });
    const pooler = createPgbouncer({ settings, holdLimitMs: HOLD_LIMIT_MS, releaser, clock, log });
    this.#poolers.push(pooler);
    return pooler;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const limit = AbortSignal.timeout(10_000);
    for (const pooler of this.#poolers) await pooler.stop(limit).catch(() => undefined);
    rmSync(this.root, { recursive: true, force: true });
  }
}

export const bundle = (entry: string, outfile: string) =>
  build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    external: ["pg-native"],
    logLevel: "silent",
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
  });

export const targetOf = ({ settings }: TestNode): Target => ({
  name: settings.name,
  ...settings.postgres.connectAddress,
});

export const readable = (node: TestNode): ReadTarget => ({ ...targetOf(node), state: "ready" });

export const planOf = (
  term: number,
  write: TestNode | undefined,
  reads: readonly TestNode[] = [],
) =>
  ({
    term,
    write: write && targetOf(write),
    reads: reads.map(readable),
    reports: reads.map(readable),
  }) satisfies RoutePlan;

export interface ClientOptions {
  readonly database?: string;
  readonly user?: string;
  readonly password?: string;
}

/** A connected client through the pooler; it ends with the test that disposes it. */
export async function connect(settings: PgbouncerSettings, options: ClientOptions = {}) {
  const { database = "app", user = "shop", password = PASSWORD } = options;
  const client = new pg.Client({ ...settings.listen, database, user, password });
  client.on("error", () => undefined);
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

/** A client that works without a pause until told to stop: it counts what was answered and what failed. */
export async function startWorker(settings: PgbouncerSettings, statement: string) {
  const client = await connect(settings);
  const seen = { done: 0, errors: [] as string[], isStopped: false };
  const work = async (): Promise<void> => {
    while (!seen.isStopped && seen.errors.length < 10) {
      try {
        await client.query(statement);
        seen.done += 1;
      } catch (error) {
        seen.errors.push(error instanceof Error ? error.message : String(error));
      }
    }
  };
  const ended = work();
  return {
    seen,
    async stop() {
      seen.isStopped = true;
      await ended;
      await client.end();
      return seen;
    },
  };
}
