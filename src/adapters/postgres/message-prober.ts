// Does a write come through to whoever is the primary? A message in its WAL, which no table of anybody shows.
import type { Address } from "../../model/address.ts";
import { AppError } from "../../model/error.ts";
import type { PostgresSettings } from "../../model/settings.ts";
import type { Ms } from "../../model/time.ts";
import { memberTarget, Session } from "./session.ts";

/** Its transaction commits like a client's: it waits for the standbys that commits wait for. */
const COMMIT_AS_CLIENTS_DO = "SET synchronous_commit = on";
const WRITE =
  "SELECT pg_logical_emit_message(true, 'understudy', 'probe')::text AS position WHERE NOT pg_is_in_recovery()";

export class MessageProber {
  readonly #settings: PostgresSettings;
  readonly #addresses: readonly Address[];
  #session: Session | undefined;
  /** Which address is tried first: the one that took the last write. */
  #first = 0;

  constructor(settings: PostgresSettings, addresses: readonly Address[]) {
    this.#settings = settings;
    this.#addresses = addresses;
  }

  /** Answers the position of a write that is committed, on the session that is there or the first address that takes it. Throws within `limitMs`. */
  async write(limitMs: Ms): Promise<string> {
    const end = performance.now() + limitMs;
    if (this.#session !== undefined) {
      try {
        return await this.#on(this.#session, limitMs);
      } catch {
        // It may be one to a primary of before: a new one decides.
        this.close();
      }
    }
    const many = this.#addresses.length;
    let last: unknown = new AppError("NOT_POSSIBLE", "writing a probe", "no address");
    for (let n = 0; n < many && performance.now() < end; n++) {
      const index = (this.#first + n) % many;
      const address = this.#addresses[index];
      if (address === undefined) continue;
      try {
        // One that is silent leaves the others their part of the time.
        const position = await this.#at(address, (end - performance.now()) / (many - n));
        this.#first = index;
        return position;
      } catch (error) {
        last = error;
        this.close();
      }
    }
    throw last;
  }

  close(): void {
    this.#session?.destroy();
    this.#session = undefined;
  }

  async #at(address: Address, limitMs: Ms): Promise<string> {
    const { superuser, database } = this.#settings;
    const end = performance.now() + limitMs;
    this.#session = await Session.open(memberTarget(address, superuser, database), limitMs);
    await this.#session.query(COMMIT_AS_CLIENTS_DO, [], end - performance.now());
    return this.#on(this.#session, end - performance.now());
  }

  async #on(session: Session, limitMs: Ms): Promise<string> {
    const [row] = await session.query(WRITE, [], limitMs);
    if (row !== undefined) return String(row["position"]);
    throw new AppError("NOT_POSSIBLE", "writing a probe", "no address is that of a primary");
  }
}
