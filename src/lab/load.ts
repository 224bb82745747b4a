// A small write load that remembers every promise, as applications would use the cluster.
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Ms } from "../model/time.ts";
import { makeDatabase } from "./databases.ts";
import { failureOfWrite } from "./failures.ts";
import { Ledger, type LostRow } from "./ledger.ts";
import type { LabRecord } from "./record.ts";
import type { Session, SessionOptions, Target } from "./session.ts";
import { waitUntil } from "./wait-until.ts";
import { openWritable } from "./writable.ts";

export const LOAD_DATABASE = "understudy_load";
const RECONNECT_MS: Ms = 50;
const CONNECT_MS: Ms = 2_000;
const STATEMENT_MS: Ms = 5_000;

const TABLE = `CREATE TABLE IF NOT EXISTS promises (
  run text, worker integer, sequence bigint, written_at timestamptz DEFAULT clock_timestamp(),
  PRIMARY KEY (run, worker, sequence))`;
const INSERT = "INSERT INTO promises (run, worker, sequence) VALUES ($1, $2, $3)";
const FOUND = "SELECT sequence::text FROM promises WHERE run = $1 AND worker = $2";

export interface LoadOptions {
  readonly workers: number;
  /** Pause of a worker between two of its writes. */
  readonly everyMs: Ms;
  /** Which way the rows take; straight to the members unless said. */
  readonly path?: LoadPath;
}

/** Where a load connects, and the database that its rows then lie in. */
export interface LoadPath {
  readonly name: string;
  /** Tried in order, until one takes writes. */
  readonly servers: readonly Target[];
  readonly database: string;
}

/** As libpq does it: all members in one connection string. */
export const directPath = (lab: LabRecord): LoadPath => ({
  name: "direct",
  servers: lab.members,
  database: LOAD_DATABASE,
});

export const USUAL_LOAD: LoadOptions = { workers: 4, everyMs: 20 };

/** How everyone logs in who measures: the limits of the peers' harness. */
export const loadLogin = (lab: LabRecord): SessionOptions => ({
  user: lab.user,
  password: lab.password,
  database: LOAD_DATABASE,
  connectMs: CONNECT_MS,
  statementMs: STATEMENT_MS,
});

/** A running load. `stop` ends it; `check` then looks every promised row up. */
export class Load {
  readonly run = randomBytes(6).toString("hex");
  readonly startedAt = performance.now();
  readonly ledger = new Ledger(this.startedAt);
  readonly #lab: LabRecord;
  readonly #options: LoadOptions;
  readonly #path: LoadPath;
  readonly #workers: Promise<void>[];
  #stopping = false;

  private constructor(lab: LabRecord, options: LoadOptions) {
    this.#lab = lab;
    this.#options = options;
    this.#path = options.path ?? directPath(lab);
    this.#workers = Array.from({ length: options.workers }, (_, worker) => this.#work(worker));
  }

  /** Makes the table and begins to write. */
  static async start(lab: LabRecord, options: LoadOptions = USUAL_LOAD): Promise<Load> {
    await prepare(lab, options.path?.database);
    return new Load(lab, options);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#workers);
  }

  /** The promised rows that the primary of now does not have. */
  async check(limitMs: Ms): Promise<readonly LostRow[]> {
    const look = (): Promise<readonly LostRow[] | undefined> => this.#look().catch(() => undefined);
    return waitUntil("a primary that answers for the promised rows", look, { limitMs });
  }

  async #look(): Promise<readonly LostRow[]> {
    using session = await openWritable(this.#lab.members, this.#login());
    const lost: LostRow[] = [];
    for (const worker of this.ledger.workers()) {
      const { rows } = await session.query(FOUND, [this.run, worker]);
      lost.push(
        ...this.ledger.missing(worker, new Set(rows.map(([sequence]) => Number(sequence)))),
      );
    }
    return lost;
  }

  #login(): SessionOptions {
    return { ...loadLogin(this.#lab), database: this.#path.database };
  }

  async #work(worker: number): Promise<void> {
    let session: Session | undefined;
    for (let sequence = 1; !this.#stopping; sequence++) {
      try {
        session ??= await openWritable(this.#path.servers, this.#login());
        const { warned } = await session.query(INSERT, [this.run, worker, sequence]);
        if (warned) this.ledger.doubt();
        else this.ledger.acknowledge(worker, sequence, performance.now());
        await sleep(this.#options.everyMs);
      } catch (error) {
        const words = error instanceof Error ? error.message : String(error);
        this.ledger.fail(session === undefined ? "refused" : failureOfWrite(error), words);
        session?.close();
        session = undefined;
        await sleep(RECONNECT_MS);
      }
    }
    session?.close();
  }
}

/** The load's own table, in its own database or in the applications'; the primary must be there. */
export async function prepare(lab: LabRecord, database = LOAD_DATABASE): Promise<void> {
  await makeDatabase(lab, database);
  using session = await openWritable(lab.members, { ...loadLogin(lab), database });
  await session.query(TABLE);
}
