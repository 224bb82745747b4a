// Clients of a pooled address: each runs one short transaction after another and says what it saw.
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { waitFor } from "../../src/lab/wait-until.ts";

const PAUSE_MS = 10;
/** A client that saw an error comes again after this. */
const AGAIN_MS = 50;
/** So many transactions, and a client comes with a new connection. */
const TRANSACTIONS = 40;

export interface Seen {
  readonly client: number;
  readonly atMs: number;
  readonly error: string;
}

export class Crowd {
  readonly errors: Seen[] = [];
  /** Transactions that were committed, by client. */
  readonly committed: number[];
  longestMs = 0;
  readonly #dsn: string;
  readonly #running: Promise<unknown>;
  #isOver = false;

  private constructor(dsn: string, clients: number) {
    this.#dsn = dsn;
    this.committed = Array.from({ length: clients }, () => 0);
    this.#running = Promise.all(this.committed.map((_, client) => this.#live(client)));
  }

  static async gather(dsn: string, clients: number): Promise<Crowd> {
    const first = new pg.Client({ connectionString: dsn });
    await first.connect();
    await first.query(
      "CREATE TABLE IF NOT EXISTS crowd (client int, at timestamptz DEFAULT now())",
    );
    await first.end();
    return new Crowd(dsn, clients);
  }

  /** Every client commits once more from now on. */
  async allServed(limitMs: number): Promise<void> {
    const before = [...this.committed];
    const served = () => this.committed.every((n, client) => n > (before[client] ?? 0));
    await waitFor("every client to commit", served, { limitMs, everyMs: 20 });
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  async #live(client: number): Promise<void> {
    while (!this.#isOver) {
      const session = new pg.Client({ connectionString: this.#dsn });
      // What breaks between two queries arrives here.
      session.on("error", (error) => this.#note(client, error));
      try {
        await session.connect();
        for (let i = 0; i < TRANSACTIONS && !this.#isOver; i += 1)
          await this.#work(session, client);
      } catch (error) {
        this.#note(client, error);
        await sleep(AGAIN_MS);
      }
      await session.end().catch(() => undefined);
    }
  }

  async #work(session: pg.Client, client: number): Promise<void> {
    const from = performance.now();
    await session.query("BEGIN");
    await session.query("INSERT INTO crowd (client) VALUES (" + client + ")");
    await session.query("COMMIT");
    this.committed[client] = (this.committed[client] ?? 0) + 1;
    this.longestMs = Math.max(this.longestMs, performance.now() - from);
    await sleep(PAUSE_MS);
  }

  #note(client: number, error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    this.errors.push({ client, atMs: Math.round(performance.now()), error: text });
  }
}
