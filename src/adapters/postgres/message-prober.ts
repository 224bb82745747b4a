// Does a write come through to whoever is the primary? A message in its WAL, which no table of anybody shows.
import type { Address } from "../../model/address.ts";
import { AppError } from "../../model/error.ts";
import type { PostgresSettings } from "../../model/settings.ts";
import type { Ms } from "../../model/time.ts";
import { AddressRound } from "../system/address-round.ts";
import { memberTarget, Session } from "./session.ts";

/** Its transaction commits like a client's: it waits for the standbys that commits wait for. */
const COMMIT_AS_CLIENTS_DO = "SET synchronous_commit = on";
const WRITE =
  "SELECT pg_logical_emit_message(true, 'understudy', 'probe')::text AS position WHERE NOT pg_is_in_recovery()";

export class MessageProber {
  readonly #settings: PostgresSettings;
  readonly #round: AddressRound;
  #session: Session | undefined;

  constructor(settings: PostgresSettings, addresses: readonly Address[]) {
    this.#settings = settings;
    this.#round = new AddressRound(addresses);
  }

  /** Answers the position of a write that is committed, on the session that is there or the first address that takes it. Throws within `limitMs`. */
  async write(limitMs: Ms): Promise<string> {
    const end = performance.now() + limitMs;
    const session = this.#session;
    let trouble: unknown;
    if (session !== undefined) {
      try {
        return await this.#on(session, limitMs);
      } catch (error) {
        // It may be one to a primary of before: a new one decides.
        trouble = error;
        this.close();
      }
    }
    const writeAt = (address: Address, ms: Ms): Promise<string> => this.#at(address, ms);
    return this.#round.take(end, writeAt, trouble);
  }

  close(): void {
    this.#session?.destroy();
    this.#session = undefined;
  }

  async #at(address: Address, limitMs: Ms): Promise<string> {
    const { superuser, database } = this.#settings;
    const end = performance.now() + limitMs;
    try {
      const session = await Session.open(memberTarget(address, superuser, database), limitMs);
      this.#session = session;
      await session.query(COMMIT_AS_CLIENTS_DO, [], end - performance.now());
      return await this.#on(session, end - performance.now());
    } catch (error) {
      this.close();
      throw error;
    }
  }

  async #on(session: Session, limitMs: Ms): Promise<string> {
    const [row] = await session.query(WRITE, [], limitMs);
    if (row !== undefined) return String(row["position"]);
    throw new AppError("NOT_POSSIBLE", "writing a probe", "no address is that of a primary");
  }
}
