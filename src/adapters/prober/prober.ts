// Does a write come through this way in, now? One row of our own is written anew each time, by a session that stays.
import { Socket } from "node:net";
import pg from "pg";
import type { Address } from "../../model/address.ts";
import type { AvailabilitySettings, ProbePath } from "../../model/availability.ts";
import { AppError } from "../../model/error.ts";
import type { Ms } from "../../model/time.ts";
import { AddressRound } from "../system/address-round.ts";
import { Ending } from "../system/ending.ts";

export interface Prober {
  /** Resolves when the row is committed. Throws PG_SQL_FAILED, within `limitMs`. */
  write(limitMs: Ms): Promise<void>;
  close(): void;
}

/** SQLSTATE: the table is not there yet. */
const UNDEFINED_TABLE = "42P01";

export const createProber = (
  settings: AvailabilitySettings,
  path: ProbePath,
  node: string,
): Prober => new SqlProber(settings, path, node);

class SqlProber implements Prober {
  readonly #settings: AvailabilitySettings;
  readonly #path: ProbePath;
  readonly #row: string;
  readonly #round: AddressRound;
  #client: pg.Client | undefined;
  #socket: Socket | undefined;
  /** Comes when the session's socket is closed: whatever the driver waits for ends with it. */
  #ending = new Ending();

  constructor(settings: AvailabilitySettings, path: ProbePath, node: string) {
    this.#settings = settings;
    this.#path = path;
    this.#round = new AddressRound(path.addresses);
    this.#row = `${node}/${path.name}`;
  }

  async write(limitMs: Ms): Promise<void> {
    const attempt = `writing a probe over ${this.#path.name}`;
    try {
      await this.#anywhere(performance.now() + limitMs);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new AppError("PG_SQL_FAILED", attempt, why, error);
    }
  }

  close(): void {
    this.#socket?.destroy();
    this.#client = undefined;
    this.#socket = undefined;
  }

  /** On the session that is there, else on the first address that takes the write. */
  async #anywhere(end: number): Promise<void> {
    const client = this.#client;
    let trouble: unknown;
    if (client !== undefined) {
      try {
        await this.#within(end - performance.now(), () => this.#upsert(client));
        return;
      } catch (error) {
        // The session may be one to a primary of before: a new one decides.
        trouble = error;
      }
    }
    const writeAt = (address: Address, limitMs: Ms): Promise<pg.Client> =>
      this.#within(limitMs, () => this.#writeAt(address));
    this.#client = await this.#round.take(end, writeAt, trouble);
  }

  /** At the end of the time, and after a failure, the session is closed, and with it ends whatever it waits for. */
  async #within<T>(ms: Ms, work: () => Promise<T>): Promise<T> {
    const limit = setTimeout(() => this.close(), ms);
    try {
      return await work();
    } catch (error) {
      this.close();
      throw error;
    } finally {
      clearTimeout(limit);
    }
  }

  async #writeAt(address: Address): Promise<pg.Client> {
    const client = await this.#connect(address);
    await this.#upsert(client);
    return client;
  }

  async #connect({ host, port }: Address): Promise<pg.Client> {
    const { username, password, database } = this.#settings;
    const socket = new Socket();
    const client = new pg.Client({
      host,
      port,
      user: username,
      password: password?.reveal(),
      database,
      application_name: "understudy probe",
      stream: () => socket,
    });
    // Without a listener a connection that breaks between two probes would end the agent.
    client.on("error", () => socket.destroy());
    this.#socket = socket;
    this.#ending = endingOf(socket);
    await this.#ending.before(client.connect());
    return client;
  }

  /** One row for each prober and way: the table never grows. */
  async #upsert(client: pg.Client): Promise<void> {
    const { table } = this.#settings;
    const write = () =>
      this.#query(
        client,
        `INSERT INTO ${table} (prober, written_at) VALUES ($1, clock_timestamp())
         ON CONFLICT (prober) DO UPDATE SET written_at = excluded.written_at`,
        [this.#row],
      );
    try {
      await write();
    } catch (error) {
      if (sqlState(error) !== UNDEFINED_TABLE) throw error;
      await this.#query(
        client,
        `CREATE TABLE IF NOT EXISTS ${table} (prober text PRIMARY KEY, written_at timestamptz NOT NULL)
         WITH (fillfactor = 50)`,
        [],
      );
      await write();
    }
  }

  #query(client: pg.Client, text: string, values: readonly string[]): Promise<unknown> {
    return this.#ending.before(client.query({ text, values: [...values] }));
  }
}

function endingOf(socket: Socket): Ending {
  const ending = new Ending();
  socket.once("close", () =>
    ending.end(new Error("the connection was closed, or the time was up")),
  );
  return ending;
}

const sqlState = (error: unknown): string | undefined =>
  typeof error === "object" && error !== null && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;
