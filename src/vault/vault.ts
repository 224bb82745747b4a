// The worker as a whole: it takes WAL from PostgreSQL, looks at what lies outside, and says how both are.
import { mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readControlFile } from "../adapters/postgres/control-data.ts";
import { AppError } from "../model/error.ts";
import type { Ms } from "../model/time.ts";
import { parseFacts } from "../model/vault-facts.ts";
import type { ReceiverState, VaultState, Waiting } from "../model/vault-state.ts";
import { GATE_WAIT_S, gateScript, renderGate, vaultSocket } from "../model/wal-gate.ts";
import { parseWalName } from "../model/wal-name.ts";
import { printVault } from "../model/wire/vault.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import { backupReader } from "./base-backups.ts";
import { type Door, type DoorAnswer, openDoor } from "./door.ts";
import { type Archived, Lane, type Shelf, waitingFiles } from "./lane.ts";
import { Receiver, type Receiving } from "./receiver.ts";
import { Survey } from "./survey.ts";
import { Watch } from "./watch.ts";

export interface VaultOptions {
  readonly dataDir: string;
  /** The worker's own directory. */
  readonly dir: string;
  readonly budgetBytes: number;
  /** The repositories, at the place of the cluster with this system identifier. Throws REPO_… */
  readonly open: (systemId: string, signal: AbortSignal) => Promise<readonly Shelf[]>;
  readonly receiving: Pick<Receiving, "program" | "user" | "passFile" | "how">;
  readonly clock: Clock;
  readonly log: Log;
}

const LOOK_EVERY_MS: Ms = 8_000;
const OPEN_LIMIT_MS: Ms = 30_000;
const COUNT_EVERY_MS: Ms = 2_000;
/** The gate answers a little before its caller would give up. */
const GATE_WAIT_MS: Ms = GATE_WAIT_S * 1_000 - 1_000;
const NOBODY_RECEIVES: ReceiverState = {
  kind: "elsewhere",
  why: undefined,
  forMs: 0,
  stored: undefined,
};
const NOTHING: Waiting = { files: 0, bytes: 0, oldestMs: undefined };

/** What can only be once it is known whose data this is. */
interface Standing {
  readonly systemId: string;
  readonly segmentSize: number;
  readonly lane: Lane;
  readonly watches: readonly Watch[];
  readonly receiver: Receiver;
}

export class Vault {
  readonly #o: VaultOptions;
  #door: Door | undefined;
  #standing: Standing | undefined;
  #opening: Promise<Standing> | undefined;
  readonly #ending = new AbortController();
  #waiting: Waiting = NOTHING;
  #lastArchived: string | undefined;
  #refusal: VaultState["refusal"];

  constructor(options: VaultOptions) {
    this.#o = options;
  }

  /** Throws what keeps PostgreSQL from asking. */
  async start(): Promise<void> {
    const { dir } = this.#o;
    await mkdir(dir, { recursive: true, mode: 0o700 });
    this.#door = await openDoor(vaultSocket(dir), (path, body) => this.#answer(path, body));
    await writeFile(gateScript(dir), renderGate(dir), { mode: 0o700 });
    void this.#repeat(COUNT_EVERY_MS, () => this.#count());
    void this.#repeat(LOOK_EVERY_MS, () => this.#look());
  }

  async close(): Promise<void> {
    this.#ending.abort();
    this.#standing?.receiver.close();
    await this.#door?.close();
  }

  async #answer(path: string, body: string): Promise<DoorAnswer> {
    const [what, name = ""] = path.split("/");
    if (what === "state") {
      this.#standing?.receiver.follow(parseFacts(body).receiveFrom);
      return { status: 200, body: JSON.stringify(printVault(this.#state())) };
    }
    if (what !== "archive") return { status: 404, body: "there is nothing here" };
    if (parseWalName(name) === undefined)
      return { status: 400, body: `${name} is no file of the WAL` };
    const answer = await this.#archive(name);
    if (answer.kind === "yes") return { status: 200, body: `yes ${name}` };
    return { status: answer.kind === "conflict" ? 409 : 503, body: `no: ${answer.why}` };
  }

  async #archive(name: string): Promise<Archived> {
    let answer: Archived;
    try {
      answer = await (await this.#stand()).lane.archive(name, GATE_WAIT_MS);
    } catch (error) {
      answer = { kind: "no", why: error instanceof Error ? error.message : String(error) };
    }
    if (answer.kind === "yes") this.#lastArchived = name;
    this.#refusal =
      answer.kind === "yes"
        ? undefined
        : { why: answer.why, isConflict: answer.kind === "conflict" };
    return answer;
  }

  /** The lane of the data that lies here now; data of another cluster, after a bootstrap, gets another one. */
  async #stand(): Promise<Standing> {
    const { dataDir } = this.#o;
    const control = await readControlFile(dataDir);
    if (control === undefined)
      throw new AppError("NOT_POSSIBLE", "archiving", `${dataDir} holds no cluster yet`);
    const { systemId, segmentSize } = control;
    if (this.#standing?.systemId === systemId) return this.#standing;
    this.#opening ??= this.#open(systemId, segmentSize).finally(() => {
      this.#opening = undefined;
    });
    this.#standing = await this.#opening;
    return this.#standing;
  }

  async #open(systemId: string, segmentSize: number): Promise<Standing> {
    const { clock, log, dataDir, dir } = this.#o;
    this.#standing?.receiver.close();
    using limit = clock.deadline(OPEN_LIMIT_MS, this.#ending.signal);
    const shelves = await this.#o.open(systemId, limit.signal);
    const lane = new Lane({ dataDir, systemId, segmentSize, shelves, clock, log });
    const watches = shelves.map((shelf) => {
      const { store } = shelf;
      const survey = new Survey({ store, segmentSize, clock, backups: backupReader(store.repo) });
      return new Watch({ shelf, survey, lane, dataDir, segmentSize, clock, log });
    });
    const receiver = new Receiver({
      ...this.#o.receiving,
      ...{ dir: join(dir, "received"), shelves, lane, segmentSize, clock, log },
    });
    return { systemId, segmentSize, lane, watches, receiver };
  }

  async #look(): Promise<void> {
    const { watches } = await this.#stand();
    await Promise.all(watches.map((watch) => watch.look()));
  }

  /** What PostgreSQL holds back for the archive, by its own marks. */
  async #count(): Promise<void> {
    const { dataDir, clock } = this.#o;
    const names = await waitingFiles(dataDir);
    const [oldest] = names;
    const mark = join(dataDir, "pg_wal", "archive_status", `${oldest}.ready`);
    const since = oldest === undefined ? undefined : (await stat(mark)).mtimeMs;
    const sizes = await Promise.all(
      names.map((name) => stat(join(dataDir, "pg_wal", name)).then(({ size }) => size)),
    );
    this.#waiting = {
      files: names.length,
      bytes: sizes.reduce((sum, size) => sum + size, 0),
      oldestMs: since === undefined ? undefined : Math.max(0, clock.wallMs() - since),
    };
  }

  #state(): VaultState {
    const now = this.#o.clock.now();
    return {
      segmentSize: this.#standing?.segmentSize ?? 1,
      waiting: this.#waiting,
      budgetBytes: this.#o.budgetBytes,
      lastArchived: this.#lastArchived,
      refusal: this.#refusal,
      receiver: this.#standing?.receiver.state(now) ?? NOBODY_RECEIVES,
      shelves: this.#standing?.watches.map((watch) => watch.state(now)) ?? [],
    };
  }

  /** Again and again until the end; a failure is the next one's to mend. */
  async #repeat(everyMs: Ms, work: () => Promise<void>): Promise<void> {
    const { clock, log } = this.#o;
    while (!this.#ending.signal.aborted) {
      await work().catch((error: unknown) => log.debug("a look of the vault failed", { error }));
      await clock.sleep(everyMs, this.#ending.signal).catch(() => undefined);
    }
  }
}
