// How does WAL get out of the primary's host within a second of its commit? `pg_receivewal` streams it to this node, and
// what has come of a segment goes on into every repository before the segment is whole.
//
// It needs no slot: the gate keeps WAL until the archive has it, so what the receiver misses is missing nowhere.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Address } from "../model/address.ts";
import { type Lsn, lsn } from "../model/lsn.ts";
import { between, type Instant, type Ms } from "../model/time.ts";
import { RECEIVER_NAME, type ReceiverState } from "../model/vault-state.ts";
import { parseWalName, segmentStart } from "../model/wal-name.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { Lane, Shelf } from "./lane.ts";
import { removePieces, sendPiece } from "./tail-store.ts";
import type { WalPacking } from "./wal-store.ts";
import { writtenEnd } from "./written-end.ts";

export interface Receiving {
  /** Where received files lie; nobody else's. */
  readonly dir: string;
  readonly program: string;
  readonly user: string;
  readonly passFile: string;
  readonly shelves: readonly Shelf[];
  readonly how: WalPacking;
  readonly lane: Lane;
  readonly segmentSize: number;
  readonly clock: Clock;
  readonly log: Log;
}

const SEND_EVERY_MS: Ms = 300;
const SEND_LIMIT_MS: Ms = 30_000;
const RETRY_MS: Ms = 1_000;
/** One that ends sooner could not go on from what lies here: it begins anew. */
const FAILED_AT_ONCE_MS: Ms = 3_000;

export class Receiver {
  readonly #o: Receiving;
  readonly #ending = new AbortController();
  #from: Address | undefined;
  #child: ChildProcess | undefined;
  #why: string | undefined;
  #since: Instant;
  #stored: Lsn | undefined;
  /** Of the segment that is not whole: how much of it every repository has. */
  #sent: { segment: string; to: number } | undefined;

  constructor(options: Receiving) {
    this.#o = options;
    this.#since = options.clock.now();
    void this.#keepAlive();
    void this.#keepSending();
  }

  /** Whom to receive from now; undefined when another node does. */
  follow(from: Address | undefined): void {
    const isSame = from?.host === this.#from?.host && from?.port === this.#from?.port;
    if (isSame) return;
    this.#from = from;
    this.#why = undefined;
    this.#since = this.#o.clock.now();
    this.#child?.kill("SIGTERM");
  }

  state(now: Instant): ReceiverState {
    const streams = this.#child !== undefined && this.#why === undefined;
    const here = streams ? "streaming" : "failing";
    const kind = this.#from === undefined ? "elsewhere" : here;
    return { kind, why: this.#why, forMs: between(this.#since, now), stored: this.#stored };
  }

  close(): void {
    this.#ending.abort();
    this.#child?.kill("SIGTERM");
  }

  async #keepAlive(): Promise<void> {
    const { clock } = this.#o;
    const { signal } = this.#ending;
    while (!signal.aborted) {
      if (this.#from !== undefined) await this.#live(this.#from);
      await clock.sleep(RETRY_MS, signal).catch(() => undefined);
    }
  }

  /** One life of the program. */
  async #live(from: Address): Promise<void> {
    const { dir, program, user, passFile, clock, log } = this.#o;
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const begun = clock.now();
    const child = spawn(
      program,
      [
        ...["-D", dir, "-h", from.host, "-p", String(from.port), "-U", user, "-w"],
        ...["--synchronous", "--no-loop", "-s", "1"],
      ],
      {
        stdio: ["ignore", "ignore", "pipe"],
        env: {
          PGPASSFILE: passFile,
          PGAPPNAME: RECEIVER_NAME,
          PGCONNECT_TIMEOUT: "5",
          LC_ALL: "C",
        },
      },
    );
    this.#child = child;
    let words = "";
    child.stderr.on("data", (text: Buffer) => {
      words = `${words}${text.toString("utf8")}`.slice(-500);
    });
    await new Promise((resolve) => {
      child.once("error", resolve);
      child.once("close", resolve);
    });
    this.#child = undefined;
    if (this.#ending.signal.aborted || this.#from !== from) return;
    if (this.#why === undefined) {
      this.#since = clock.now();
      log.warn("the WAL receiver has ended", { words: words.trim() });
    }
    this.#why = words.trim().split("\n").at(-1) ?? "it does not say why";
    if (between(begun, clock.now()) < FAILED_AT_ONCE_MS) await this.#beginAnew();
  }

  /**
   * Its place is no part of the new primary's history, or is not there any more. What was received is in the
   * repositories, and stays there.
   */
  async #beginAnew(): Promise<void> {
    await this.#send().catch(() => undefined);
    await rm(this.#o.dir, { recursive: true, force: true });
    this.#sent = undefined;
  }

  async #keepSending(): Promise<void> {
    const { clock, log } = this.#o;
    const { signal } = this.#ending;
    while (!signal.aborted) {
      await this.#send().catch((error: unknown) => {
        log.debug("received WAL could not be sent on", { error });
      });
      await clock.sleep(SEND_EVERY_MS, signal).catch(() => undefined);
    }
  }

  /** Whole segments first, then what has come of the last one. */
  async #send(): Promise<void> {
    const found: readonly string[] = await readdir(this.#o.dir).catch(() => []);
    const names = found.toSorted((a, b) => (a < b ? -1 : 1));
    for (const name of names) {
      if (name.endsWith(".partial")) continue;
      if (parseWalName(name) !== undefined) await this.#sendWhole(name);
    }
    const partial = names.findLast((name) => name.endsWith(".partial"));
    if (partial !== undefined) await this.#sendPart(partial.slice(0, -".partial".length));
  }

  async #sendWhole(name: string): Promise<void> {
    const { lane, dir, shelves, clock } = this.#o;
    const outcome = await lane.push(name, join(dir, name));
    if (outcome.kind !== "yes") return;
    await rm(join(dir, name), { force: true });
    using limit = clock.deadline(SEND_LIMIT_MS);
    for (const { store } of shelves) await removePieces(store, name, limit.signal);
  }

  async #sendPart(segment: string): Promise<void> {
    const { dir, shelves, how, segmentSize, clock } = this.#o;
    const parsed = parseWalName(segment, segmentSize);
    if (parsed?.kind !== "segment") return;
    const path = join(dir, `${segment}.partial`);
    const from = this.#sent?.segment === segment ? this.#sent.to : 0;
    const to = await endOf(path, from, segmentSize);
    if (to > from) {
      using limit = clock.deadline(SEND_LIMIT_MS);
      const sending = { path, piece: { segment, from, to }, how };
      await Promise.all(
        shelves
          .filter(({ required }) => required)
          .map(({ store }) => sendPiece(store, sending, limit.signal)),
      );
    }
    this.#sent = { segment, to };
    this.#stored = lsn(segmentStart(parsed.number, segmentSize) + BigInt(to));
    if (this.#child !== undefined) this.#why = undefined;
  }
}

async function endOf(path: string, from: number, segmentSize: number): Promise<number> {
  const file = await open(path, "r");
  try {
    return await writtenEnd(file, from, segmentSize);
  } finally {
    await file.close();
  }
}
