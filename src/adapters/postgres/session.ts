// How does the agent talk to its own server without ever waiting for ever?
//
// One wrapper around the driver: it makes the socket itself, so that it can destroy it. A connection on which a
// statement timed out stays wedged otherwise.
import { Socket } from "node:net";
import pg from "pg";
import type { Address } from "../../model/address.ts";
import { AppError } from "../../model/error.ts";
import type { DatabaseLogin, PostgresSettings } from "../../model/settings.ts";
import type { Ms } from "../../model/time.ts";
import { PLAIN, type Tls, waysTo } from "./protection.ts";

export interface SessionTarget {
  /** A socket directory, or a host name. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  /** Only a superuser may keep his statements out of the server's log. */
  readonly isSuperuser?: boolean;
  /** "true" for the replication protocol: no SQL, and statements of its own. */
  readonly replication?: string;
  /** How a connection over the network is protected. */
  readonly login?: DatabaseLogin;
}

/** The superuser's way to the local server: its socket. */
export const localTarget = (settings: PostgresSettings): SessionTarget => ({
  host: settings.socketDir,
  port: settings.port,
  user: settings.superuser.username,
  password: settings.superuser.password?.reveal(),
  database: settings.database,
  isSuperuser: true,
});

/** The way to another member's server, as one of the roles of the cluster. */
export const memberTarget = (
  { host, port }: Address,
  login: DatabaseLogin,
  database: string,
): SessionTarget => ({
  host,
  port,
  user: login.username,
  password: login.password?.reveal(),
  database,
  login,
});

/** Our own statements never wait for a standby, and never leave a password in the server's log. */
const OPTIONS = "-c synchronous_commit=local -c search_path=pg_catalog";
const SILENT_OPTIONS =
  "-c log_statement=none -c log_min_duration_statement=-1 -c log_min_error_statement=panic";

export type Row = Readonly<Record<string, unknown>>;

export class Session {
  readonly #client: pg.Client;
  readonly #socket: Socket;
  #isUsable = false;

  private constructor({ isSuperuser, login, ...target }: SessionTarget, tls: Tls) {
    this.#socket = new Socket();
    this.#client = new pg.Client({
      ...target,
      ssl: tls,
      enableChannelBinding: login?.protection?.channel_binding !== "disable",
      application_name: "understudy",
      keepAlive: true,
      options: isSuperuser === true ? `${OPTIONS} ${SILENT_OPTIONS}` : OPTIONS,
      stream: () => this.#socket,
    });
    // Without a listener a connection that breaks between two statements would end the agent.
    this.#client.on("error", () => this.destroy());
    this.#client.on("end", () => {
      this.#isUsable = false;
    });
  }

  /** Throws PG_SQL_…; where libpq would try a second way, with or without TLS, so is done here. */
  static async open(target: SessionTarget, limitMs: Ms): Promise<Session> {
    const begunAt = performance.now();
    const ways = target.login === undefined ? PLAIN : waysTo(target.host, target.login);
    const [first = false, second] = ways;
    try {
      return await Session.#openBy(target, first, limitMs);
    } catch (error) {
      const leftMs = limitMs - (performance.now() - begunAt);
      if (second === undefined || leftMs <= 0 || !mayHelp(error)) throw error;
      // What it says first is the better explanation.
      return Session.#openBy(target, second, leftMs).catch((): never => {
        throw error;
      });
    }
  }

  static async #openBy(target: SessionTarget, tls: Tls, limitMs: Ms): Promise<Session> {
    const session = new Session(target, tls);
    await session.#bounded(session.#client.connect(), limitMs, "connecting");
    session.#isUsable = true;
    return session;
  }

  get isUsable(): boolean {
    return this.#isUsable;
  }

  async query(text: string, values: readonly unknown[], limitMs: Ms): Promise<readonly Row[]> {
    const result = this.#client.query<Row>({ text, values: [...values] });
    return (await this.#bounded(result, limitMs, "a statement")).rows ?? [];
  }

  destroy(): void {
    this.#isUsable = false;
    this.#socket.destroy();
  }

  [Symbol.dispose](): void {
    this.destroy();
  }

  async #bounded<T>(work: Promise<T>, limitMs: Ms, what: string): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.destroy();
        reject(new AppError("PG_SQL_TIMEOUT", what, `limit ${Math.round(limitMs)} ms`));
      }, limitMs);
    });
    try {
      return await Promise.race([work, limit]);
    } catch (error) {
      if (error instanceof AppError) throw error;
      throw new AppError("PG_SQL_FAILED", what, describe(error), error);
    } finally {
      clearTimeout(timer);
      work.catch(() => undefined);
    }
  }
}

/** Opens a session for one piece of work. */
export async function withSession<T>(
  target: SessionTarget,
  limitMs: Ms,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  using session = await Session.open(target, limitMs);
  return await work(session);
}

/** SQLSTATE of a failed statement or connection, or the system's code of a failed connection. */
export function sqlState(error: unknown): string | undefined {
  const cause = error instanceof AppError ? error.cause : error;
  if (cause instanceof Error && "code" in cause && typeof cause.code === "string") {
    return cause.code;
  }
  return undefined;
}

/** A login that is refused, or a server without TLS, which names no code; a server that is down is down either way. */
const mayHelp = (error: unknown): boolean => sqlState(error)?.startsWith("28") ?? true;

const CANNOT_CONNECT_NOW = "57P03";
/** Errors that concern who asks and not the server: wrong login, no such database, all seats taken (R39). */
const OURS_ALONE = /^(28|3D)|^53300$/;
const SQLSTATE = /^[0-9FHPX][0-9A-Z]{4}$/;

/** What a refused session says about the server; undefined when it says nothing. */
export function refusalOf(error: unknown): "starting" | "failing" | undefined {
  const state = sqlState(error);
  if (state === CANNOT_CONNECT_NOW) return "starting";
  return state === undefined || OURS_ALONE.test(state) || !SQLSTATE.test(state)
    ? undefined
    : "failing";
}

function describe(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const state = sqlState(error);
  return state === undefined ? message : `${state} ${message}`;
}

/** An identifier in SQL. */
export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;
/** A string in SQL. */
export const quoteText = (text: string): string =>
  `${text.includes("\\") ? "E" : ""}'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
