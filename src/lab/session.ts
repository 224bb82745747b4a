// A connection to one PostgreSQL server, bounded in everything it does.
import pg from "pg";
import type { Ms } from "../model/time.ts";

export interface Target {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

export interface SessionOptions {
  readonly user: string;
  readonly password: string;
  readonly database?: string;
  readonly connectMs: Ms;
  readonly statementMs: Ms;
}

export interface Answer {
  readonly rows: readonly (readonly unknown[])[];
  /** A warning came with the answer: a commit is then not promised (R34). */
  readonly warned: boolean;
}

/** One server session. After any failure it is closed and its socket destroyed. */
export class Session {
  readonly target: Target;
  readonly #client: pg.Client;
  readonly #statementMs: Ms;
  #warned = false;

  private constructor(target: Target, client: pg.Client, statementMs: Ms) {
    this.target = target;
    this.#client = client;
    this.#statementMs = statementMs;
    client.on("notice", (notice) => {
      if (notice.severity === "WARNING") this.#warned = true;
    });
  }

  static async open(target: Target, options: SessionOptions): Promise<Session> {
    const client = new pg.Client({
      host: target.address,
      port: target.port,
      user: options.user,
      password: options.password,
      database: options.database ?? "postgres",
      application_name: "understudy lab",
    });
    // Errors between queries arrive here; the next query fails by itself.
    client.on("error", () => undefined);
    try {
      await within(options.connectMs, client.connect());
      return new Session(target, client, options.statementMs);
    } catch (error) {
      destroy(client);
      throw error;
    }
  }

  /** Runs one statement; its rows as arrays. */
  async query(text: string, values: readonly unknown[] = []): Promise<Answer> {
    this.#warned = false;
    try {
      const running = this.#client.query({ text, values: [...values], rowMode: "array" });
      const { rows } = await within(this.#statementMs, running);
      return { rows: rows as unknown[][], warned: this.#warned };
    } catch (error) {
      // A refusal leaves the session usable; a lost or wedged connection does not.
      if (sqlState(error) === undefined) this.close();
      throw error;
    }
  }

  /** The first column of the first row. */
  async value(text: string, values: readonly unknown[] = []): Promise<unknown> {
    return (await this.query(text, values)).rows[0]?.[0];
  }

  close(): void {
    destroy(this.#client);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** PostgreSQL's five-letter code, when the server itself refused. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) && error instanceof pg.DatabaseError
    ? code
    : undefined;
}

/** The driver's own time limits leave a wedged connection behind, so time is limited here. */
async function within<T>(limitMs: Ms, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}

function destroy(client: pg.Client): void {
  const { connection } = client as unknown as { connection: { stream: { destroy(): void } } };
  connection.stream.destroy();
}
