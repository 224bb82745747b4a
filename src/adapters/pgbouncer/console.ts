// How is PgBouncer told something? Its console is a database of its own that knows only the simple protocol.
//
// TCP would reach any of several processes, so each is spoken to over its own socket. A connection on which an answer
// is late is destroyed: PAUSE has no limit of its own, and may never return once somebody else has resumed.
import { Socket } from "node:net";
import pg from "pg";
import { AppError } from "../../model/error.ts";
import { CONSOLE_USER } from "./render.ts";

export interface ConsolePlace {
  readonly socketDir: string;
  readonly port: number;
  readonly password: string;
}

/** One line of a SHOW, by the names of its columns: their order and number differ between versions. */
export type Row = Readonly<Record<string, string>>;

export class Console {
  readonly #client: pg.Client;
  readonly #socket = new Socket();
  #isUsable = true;

  private constructor({ socketDir, port, password }: ConsolePlace) {
    this.#client = new pg.Client({
      host: socketDir,
      port,
      password,
      user: CONSOLE_USER,
      database: "pgbouncer",
      // All columns as they are written: the console's numbers have types that differ between versions.
      types: { getTypeParser: () => (text: string) => text },
      stream: () => this.#socket,
    });
    // Without a listener a connection that breaks between two commands would end the agent.
    this.#client.on("error", () => this.destroy());
    this.#client.on("end", () => {
      this.#isUsable = false;
    });
  }

  /** Throws PGBOUNCER_FAILED, TIMEOUT, or the signal's reason. */
  static async open(place: ConsolePlace, signal: AbortSignal): Promise<Console> {
    const console = new Console(place);
    await console.#until(console.#client.connect(), signal, "opening PgBouncer's console");
    return console;
  }

  get isUsable(): boolean {
    return this.#isUsable;
  }

  /** Throws PGBOUNCER_FAILED when it is refused, and the signal's reason; the connection is gone then. */
  async tell(command: string, signal: AbortSignal): Promise<void> {
    await this.#until(this.#client.query(command), signal, `PgBouncer's ${command}`);
  }

  async show(what: string, signal: AbortSignal): Promise<readonly Row[]> {
    const command = `SHOW ${what}`;
    const answer = this.#client.query<Row>(command);
    return (await this.#until(answer, signal, `PgBouncer's ${command}`)).rows;
  }

  destroy(): void {
    this.#isUsable = false;
    this.#socket.destroy();
  }

  [Symbol.dispose](): void {
    this.destroy();
  }

  async #until<T>(work: Promise<T>, signal: AbortSignal, attempt: string): Promise<T> {
    let onAbort = (): void => undefined;
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => {
        this.destroy();
        reject(signal.reason);
      };
      if (signal.aborted) onAbort();
      else signal.addEventListener("abort", onAbort, { once: true });
    });
    try {
      return await Promise.race([work, aborted]);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const why = error instanceof Error ? error.message : String(error);
      throw new AppError("PGBOUNCER_FAILED", attempt, why, error);
    } finally {
      signal.removeEventListener("abort", onAbort);
      work.catch(() => undefined);
    }
  }
}

/** A database's name in a command. */
export const quoteDatabase = (name: string): string => `"${name.replaceAll('"', '""')}"`;

export const numberIn = (row: Row, column: string): number => Number(row[column] ?? 0);
