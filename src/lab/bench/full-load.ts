// The full write load under which everything is measured a second time.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../../model/error.ts";
import { superuser } from "../health.ts";
import { loadLogin } from "../load.ts";
import { postgresBinDir } from "../programs.ts";
import type { LabRecord } from "../record.ts";
import { waitFor } from "../wait-until.ts";
import { openWritable } from "../writable.ts";

/** Server settings of a lab that shall carry it. */
export const FULL_LOAD_SETTINGS = { max_connections: "300", max_wal_size: "1GB" } as const;

const SCALE = 50;
const CLIENTS = 200;
const AGAIN_AFTER_MS = 200;
const DATABASE = "pgbench";
const BUSY_LIMIT_MS = 60_000;

/** pgbench with 200 connections, started again whenever a fault has thrown its clients out. */
export class FullLoad {
  readonly #lab: LabRecord;
  #child: ChildProcess | undefined;
  #running: Promise<void> | undefined;
  #stopping = false;

  constructor(lab: LabRecord) {
    this.#lab = lab;
  }

  /** Fills the tables; takes a minute or two. */
  async prepare(): Promise<void> {
    using session = await openWritable(this.#lab.members, {
      ...loadLogin(this.#lab),
      database: "postgres",
      statementMs: 60_000,
    });
    await session.query(`CREATE DATABASE ${DATABASE}`);
    const args = ["-i", "-s", String(SCALE), "-q", this.#dsn()];
    const done = spawnSync(join(postgresBinDir(), "pgbench"), args, { encoding: "utf8" });
    if (done.status !== 0) throw new AppError("LAB_FAILED", "fill pgbench's tables", done.stderr);
  }

  /** Begins, and returns when nearly all of its clients are connected and at work. */
  async start(): Promise<void> {
    this.#running = this.#run();
    await this.untilBusy();
  }

  /** After a fault the clients come back by and by; a measurement begins with all of them. */
  async untilBusy(): Promise<void> {
    await waitFor("the full load to be at work", () => this.#isBusy().catch(() => false), {
      limitMs: BUSY_LIMIT_MS,
      everyMs: 500,
    });
  }

  async #isBusy(): Promise<boolean> {
    using session = await openWritable(this.#lab.members, superuser(this.#lab));
    const clients = await session.value(
      `SELECT count(*)::int FROM pg_stat_activity
        WHERE datname = '${DATABASE}' AND xact_start IS NOT NULL`,
    );
    return Number(clients) >= CLIENTS / 2;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#child?.kill("SIGKILL");
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      await this.#once();
      await sleep(AGAIN_AFTER_MS);
    }
  }

  #once(): Promise<void> {
    const args = ["-n", "-c", String(CLIENTS), "-j", "2", "-T", "86400", this.#dsn()];
    const child = spawn(join(postgresBinDir(), "pgbench"), args, { stdio: "ignore" });
    this.#child = child;
    return new Promise((resolve) => {
      child.once("exit", () => resolve()).once("error", () => resolve());
    });
  }

  #dsn(): string {
    return this.#lab.dsn.replace("/postgres?", `/${DATABASE}?connect_timeout=2&`);
  }
}
