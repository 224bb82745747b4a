// Who measures availability here? A loop for each way in, and a book for each that outlives the agent.
import { join } from "node:path";
import type { Prober } from "../../adapters/prober/prober.ts";
import { readIfPresent, writeDurably } from "../../adapters/system/durable-file.ts";
import type { AvailabilitySettings, ProbePath } from "../../model/availability.ts";
import type { Outage } from "../../model/budget.ts";
import type { Ms } from "../../model/time.ts";
import { isObject } from "../../model/wire/json.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import { type Book, closedBook, EMPTY_BOOK, noted } from "./outage-book.ts";

export interface WatchOptions {
  readonly settings: AvailabilitySettings;
  readonly stateDir: string;
  readonly clock: Clock;
  readonly log: Log;
  proberOf(path: ProbePath): Prober;
  /** Hears when clients of a way begin to wait, and when they do no longer. */
  readonly tell: (outage: ClientsOutage) => void;
}

/** Wall-clock milliseconds; without `to` it goes on. */
export interface ClientsOutage {
  readonly path: string;
  readonly from: number;
  readonly to: number | undefined;
  /** Why the first probe was not taken. */
  readonly why: string | undefined;
}

/** One way in, as it was measured last. */
export interface Measured {
  readonly path: string;
  readonly takesWrites: boolean;
  /** Why the last probe failed. */
  readonly why: string | undefined;
  readonly book: Book;
}

/** An outage is written down at once; how long was measured, this often. */
const WRITE_EVERY_MS: Ms = 60_000;
const PROBE_LIMIT_MS: Ms = 5_000;
/** A way that comes and goes all the time is told of no more often: its story must not push out all others. */
const TELL_EVERY_MS: Ms = 10_000;

export class AvailabilityWatch {
  readonly settings: AvailabilitySettings;
  readonly #o: WatchOptions;
  readonly #file: string;
  readonly #ways = new Map<string, Measured>();
  readonly #stopping = new AbortController();
  readonly #probers: Prober[] = [];
  #writing: Promise<void> = Promise.resolve();
  #writtenAt = 0;
  /** Of each way that was told of: when its last outage began. */
  readonly #told = new Map<string, number>();

  constructor(options: WatchOptions) {
    this.#o = options;
    this.settings = options.settings;
    this.#file = join(options.stateDir, "availability.json");
  }

  /** Reads what earlier lives measured, and begins to measure. */
  async start(): Promise<void> {
    const kept = booksIn(await readIfPresent(this.#file).catch(() => undefined));
    for (const path of this.settings.paths) {
      const book = closedBook(kept.get(path.name) ?? EMPTY_BOOK);
      this.#ways.set(path.name, { path: path.name, takesWrites: true, why: undefined, book });
      void this.#measure(path);
    }
  }

  /** From memory. */
  measured = (): readonly Measured[] => [...this.#ways.values()];

  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const prober of this.#probers) prober.close();
    this.#write();
    await this.#writing;
  }

  async #measure(path: ProbePath): Promise<void> {
    const { clock } = this.#o;
    const { everyMs } = this.settings;
    const prober = this.#o.proberOf(path);
    this.#probers.push(prober);
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const begun = clock.now();
      const sentAt = clock.wallMs();
      const why = await prober.write(PROBE_LIMIT_MS).then(
        () => undefined,
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
      if (signal.aborted) return;
      // The way there is measured by the clock that nobody sets.
      const took = clock.now() - begun;
      this.#note(path.name, { sentAt, answeredAt: sentAt + took, why });
      await clock.sleep(Math.max(0, everyMs - took), signal).catch(() => undefined);
    }
  }

  #note(
    path: string,
    probed: {
      readonly sentAt: number;
      readonly answeredAt: number;
      readonly why: string | undefined;
    },
  ): void {
    const before = this.#ways.get(path);
    if (before === undefined) return;
    const { sentAt, answeredAt, why } = probed;
    const ok = why === undefined;
    const book = noted(before.book, { sentAt, answeredAt, ok }, this.settings);
    this.#ways.set(path, { path, takesWrites: ok, why, book });
    const hasChanged = book.outages !== before.book.outages;
    if (ok !== before.takesWrites) {
      const { log } = this.#o;
      if (ok) log.info("probe writes come through again", { path });
      else log.warn("probe writes do not come through", { path, why });
    }
    if (hasChanged) this.#tell(path, book.outages.at(-1), why);
    if (hasChanged || answeredAt - this.#writtenAt > WRITE_EVERY_MS) {
      this.#writtenAt = answeredAt;
      this.#write();
    }
  }

  #tell(path: string, outage: Outage | undefined, why: string | undefined): void {
    if (outage === undefined) return;
    const { from, to } = outage;
    const last = this.#told.get(path);
    const isKnown = last === from;
    if (!isKnown && last !== undefined && from - last < TELL_EVERY_MS) return;
    if (!isKnown) this.#o.tell({ path, from, to: undefined, why });
    if (to !== undefined) this.#o.tell({ path, from, to, why: undefined });
    this.#told.set(path, from);
  }

  /** One after another; what fails is tried again with the next change. */
  #write(): void {
    const text = JSON.stringify(
      Object.fromEntries(this.measured().map(({ path, book }) => [path, book])),
    );
    this.#writing = this.#writing.then(() =>
      writeDurably(this.#file, `${text}\n`).catch((error: unknown) => {
        this.#o.log.warn("what was measured could not be written down", { error: String(error) });
      }),
    );
  }
}

/** Books by the name of their way; a damaged file is as good as none. */
function booksIn(text: string | undefined): ReadonlyMap<string, Book> {
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    if (!isObject(value)) return new Map();
    return new Map(
      Object.entries(value).flatMap(([path, book]): readonly (readonly [string, Book])[] =>
        isBook(book) ? [[path, book]] : [],
      ),
    );
  } catch {
    return new Map();
  }
}

const isBook = (value: unknown): value is Book =>
  isObject(value) &&
  [value["outages"], value["measured"]].every(
    (list) =>
      Array.isArray(list) && list.every((one) => isObject(one) && typeof one["from"] === "number"),
  );
