// What lies in a repository, to which moments does it lead, and where is a hole?
//
// The whole list is read now and then; in between only the newest part of it, so that a hole shows within seconds
// however long the archive is.
import { begunMsOf } from "../model/backup-record.ts";
import { type Coverage, coverageOf, type StoredBackup } from "../model/coverage.ts";
import { walFileOf, walPrefix } from "../model/repo-keys.ts";
import { joined, type Runs, runsOf } from "../model/runs.ts";
import { between, type Instant, type Ms } from "../model/time.ts";
import { type HistoryLine, historyFileName, parseHistory } from "../model/timeline.ts";
import type { BaseHolding } from "../model/vault-state.ts";
import { parseVerificationKey } from "../model/verification.ts";
import { parseWalName, printSegment } from "../model/wal-name.ts";
import { parseTailKey, partialsOf, TAIL_PREFIX } from "../model/wal-tail.ts";
import type { Clock } from "../ports/clock.ts";
import type { WalStore } from "./wal-store.ts";

/** From time to time everything: retention removes, and so may others. */
const WHOLE_LIST_EVERY_MS: Ms = 300_000;
/** Verdicts come once a day or so. */
const PROOFS_EVERY_MS: Ms = 60_000;
/** A reserved timeline may never have been begun, so that the next one has a larger number. */
const TIMELINES_AHEAD = 3;
/** Digits of a segment's name that it has in common with 255 others. */
const NEIGHBOURS = 22;

export interface SurveyOptions {
  readonly store: WalStore;
  readonly segmentSize: number;
  readonly clock: Clock;
  /** The base backups in this repository. */
  readonly backups: (signal: AbortSignal) => Promise<readonly StoredBackup[]>;
}

/** The standing look at one repository. */
export class Survey {
  readonly #o: SurveyOptions;
  #segments: ReadonlyMap<number, Runs> = new Map();
  readonly #histories = new Map<number, readonly HistoryLine[]>();
  #wholeAt: Instant | undefined;
  #proofs: { readonly at: Instant; readonly keys: readonly string[] } | undefined;
  #base: BaseHolding | undefined;

  constructor(options: SurveyOptions) {
    this.#o = options;
  }

  /** Lists what is new, or everything when it is time to. Throws REPO_…, and then nothing is known anew. */
  async look(signal: AbortSignal): Promise<Coverage> {
    const { clock, segmentSize } = this.#o;
    const now = clock.now();
    const isWhole =
      this.#wholeAt === undefined || between(this.#wholeAt, now) >= WHOLE_LIST_EVERY_MS;
    if (isWhole) this.#segments = await this.#listAll(signal);
    else await this.#listNewest(signal);
    if (isWhole) this.#wholeAt = now;
    const backups = await this.#o.backups(signal);
    this.#base = baseHolding(backups, await this.#proofKeys(signal));
    return coverageOf({
      segmentSize,
      segments: this.#segments,
      partials: await this.#tails(signal),
      histories: this.#histories,
      backups,
    });
  }

  /** The base backups, as the last look showed them. */
  base = (): BaseHolding | undefined => this.#base;

  async #proofKeys(signal: AbortSignal): Promise<readonly string[]> {
    const now = this.#o.clock.now();
    if (this.#proofs === undefined || between(this.#proofs.at, now) >= PROOFS_EVERY_MS)
      this.#proofs = { at: now, keys: await this.#keys("proofs/", signal) };
    return this.#proofs.keys;
  }

  async #listAll(signal: AbortSignal): Promise<ReadonlyMap<number, Runs>> {
    const keys = await this.#keys("wal/", signal);
    const names = keys.map(walFileOf).filter((name) => name !== undefined);
    for (const name of names) {
      const parsed = parseWalName(name, this.#o.segmentSize);
      if (parsed?.kind === "history") await this.#readHistory(parsed.timeline, signal);
    }
    return this.#runsIn(names);
  }

  /** The neighbours of each timeline's last segment and those that follow, and timelines that are new. */
  async #listNewest(signal: AbortSignal): Promise<void> {
    const { segmentSize } = this.#o;
    const names: string[] = [];
    const list = async (prefix: string): Promise<void> => {
      for (const key of await this.#keys(prefix, signal)) names.push(walFileOf(key) ?? "");
    };
    for (const [timeline, runs] of this.#segments) {
      const last = runs.at(-1)?.[1] ?? 0;
      for (const number of [last, last + 256]) {
        const name = printSegment({ timeline, number }, segmentSize);
        await list(`${walPrefix(timeline)}${name.slice(0, NEIGHBOURS)}`);
      }
    }
    const newest = Math.max(0, ...this.#segments.keys(), ...this.#histories.keys());
    for (let timeline = newest; timeline <= newest + TIMELINES_AHEAD; timeline++) {
      if (!this.#histories.has(timeline)) await this.#readHistory(timeline, signal);
      if (!this.#segments.has(timeline)) await list(walPrefix(timeline));
    }
    const segments = new Map(this.#segments);
    for (const [timeline, runs] of this.#runsIn(names))
      segments.set(timeline, joined(segments.get(timeline) ?? [], runs));
    this.#segments = segments;
  }

  async #keys(prefix: string, signal: AbortSignal): Promise<readonly string[]> {
    return (await this.#o.store.repo.list(prefix, signal)).map(({ key }) => key);
  }

  #runsIn(names: readonly string[]): ReadonlyMap<number, Runs> {
    const numbers = new Map<number, number[]>();
    for (const name of names) {
      const parsed = parseWalName(name, this.#o.segmentSize);
      if (parsed?.kind !== "segment") continue;
      const known = numbers.get(parsed.timeline);
      if (known === undefined) numbers.set(parsed.timeline, [parsed.number]);
      else known.push(parsed.number);
    }
    return new Map([...numbers].map(([timeline, some]) => [timeline, runsOf(some)]));
  }

  /** A history never changes: once it was read it is known. */
  async #readHistory(timeline: number, signal: AbortSignal): Promise<void> {
    if (timeline < 2 || this.#histories.has(timeline)) return;
    const text = await this.#o.store.textOf(historyFileName(timeline), signal);
    if (text !== undefined) this.#histories.set(timeline, parseHistory(text));
  }

  async #tails(signal: AbortSignal): Promise<ReturnType<typeof partialsOf>> {
    const keys = await this.#keys(TAIL_PREFIX, signal);
    const pieces = keys.map(parseTailKey).filter((piece) => piece !== undefined);
    return partialsOf(pieces, this.#o.segmentSize);
  }
}

/** Only what was found right counts, and only of a backup that is there. */
function baseHolding(backups: readonly StoredBackup[], proofKeys: readonly string[]): BaseHolding {
  const ids = new Set(backups.map(({ id }) => id));
  const newest = [...ids].flatMap((id) => begunMsOf(id) ?? []);
  const verified = proofKeys.flatMap((key) => {
    const read = parseVerificationKey(key);
    return read?.outcome === "passed" && ids.has(read.id) ? [read.atMs] : [];
  });
  const latest = (moments: readonly number[]): number | undefined =>
    moments.length === 0 ? undefined : Math.max(...moments);
  return { backups: ids.size, newestAtMs: latest(newest), verifiedAtMs: latest(verified) };
}
