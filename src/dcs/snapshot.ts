// What do the keys of a cluster, read at one revision, say?
import type { ClusterSnapshot, Hold, Leader, Versioned } from "../model/cluster.ts";
import { DEFAULT_CONFIG, type DynamicConfig, holdMsOf } from "../model/config.ts";
import type { Member } from "../model/member.ts";
import type { RouterStatus } from "../model/route.ts";
import { parseConfig, printProblem } from "../model/wire/config.ts";
import {
  parseFailover,
  parseHistoryRows,
  parseHold,
  parseLineage,
  parseRoster,
  parseStatus,
  parseSync,
  parseUnguarded,
} from "../model/wire/dcs.ts";
import { parseMember } from "../model/wire/member.ts";
import { parseRouter } from "../model/wire/router.ts";
import { parseSuccession } from "../model/wire/succession.ts";
import type { KeyValue, Range } from "../ports/store.ts";
import type { Keys } from "./keys.ts";

/** Reads whole snapshots. A key whose text has not changed since the last one is not parsed again. */
export class SnapshotReader {
  readonly #keys: Keys;
  readonly #parsed = new Map<string, { readonly text: string; readonly value: unknown }>();

  constructor(keys: Keys) {
    this.#keys = keys;
  }

  /** `lastGood` is the configuration that holds while the stored one is unusable (R44). */
  read(range: Range, lastGood: DynamicConfig | undefined): ClusterSnapshot {
    const keys = this.#keys;
    const at = new Map(range.entries.map((entry) => [entry.key, entry]));
    const read = <T>(key: string, parse: (text: string | undefined) => T): Versioned<T> => {
      const entry = at.get(key);
      const value = entry === undefined ? parse(undefined) : this.#once(key, entry.value, parse);
      return { value, modRevision: entry?.modRevision ?? 0 };
    };
    const members = this.#membersIn(range.entries);
    const { config, warnings } = this.#configIn(at.get(keys.config), members, lastGood);
    const hold = at.get(keys.hold);
    const lineage = read(keys.lineage, lineageIn);
    const succession = read(keys.succession, parseSuccession);
    const termBase = succession.value?.termBase ?? 0;
    // The older key counts only while the newer one was never written.
    const statusKey = at.has(keys.status) ? keys.status : keys.oldStatus;
    return {
      header: range.header,
      initialize: read(keys.initialize, (text) => (text === "" ? undefined : text)),
      config,
      configWarnings:
        lineage.value === undefined ? [...warnings, "lineage: the key cannot be read"] : warnings,
      leader: leaderIn(at.get(keys.leader), termBase),
      hold:
        hold &&
        withTerm(
          parseHold(hold.value, hold.modRevision, holdMsOf(config.value ?? DEFAULT_CONFIG)),
          termBase,
        ),
      members,
      failover: read(keys.failover, parseFailover),
      status: {
        ...read(statusKey, parseStatus),
        modRevision: at.get(keys.status)?.modRevision ?? 0,
      },
      history: read(keys.history, parseHistoryRows),
      lineage: { ...lineage, value: lineage.value ?? [] },
      sync: read(keys.sync, parseSync),
      // An unreadable list must not let everybody in.
      roster: read(keys.known, (text) =>
        text === undefined ? undefined : (parseRoster(text) ?? {}),
      ),
      routers: this.#routersIn(range.entries),
      unguarded: read(keys.unguarded, parseUnguarded),
      succession,
    };
  }

  #once<T>(key: string, text: string, parse: (text: string) => T): T {
    const known = this.#parsed.get(key);
    if (known?.text === text) return known.value as T;
    const value = parse(text);
    this.#parsed.set(key, { text, value });
    return value;
  }

  #membersIn(entries: readonly KeyValue[]): readonly Member[] {
    return entries.flatMap((entry) => {
      const name = this.#keys.memberOf(entry.key);
      if (name === undefined) return [];
      return [this.#once(entry.key, entry.value, (text) => parseMember(name, text))];
    });
  }

  #routersIn(entries: readonly KeyValue[]): readonly RouterStatus[] {
    return entries.flatMap((entry) => {
      const name = this.#keys.routerOf(entry.key);
      if (name === undefined) return [];
      return [this.#once(entry.key, entry.value, (text) => parseRouter(name, text))];
    });
  }

  #configIn(
    entry: KeyValue | undefined,
    members: readonly Member[],
    lastGood: DynamicConfig | undefined,
  ): { config: Versioned<DynamicConfig | undefined>; warnings: readonly string[] } {
    if (entry === undefined) return { config: { value: undefined, modRevision: 0 }, warnings: [] };
    const allOurs = members.every((m) => m.ours?.hold === true);
    const key = `${entry.key} ${allOurs ? "ours" : "mixed"}`;
    const parsed = this.#once(key, entry.value, (text) =>
      parseConfig(text, { mode: "lenient", allOurs }),
    );
    const { modRevision } = entry;
    if (parsed.kind === "ok") {
      return { config: { value: parsed.config, modRevision }, warnings: parsed.warnings };
    }
    const kept = lastGood === undefined ? "the defaults hold" : "the last good one holds";
    const warnings = [`config: refused, ${kept}`, ...parsed.problems.map(printProblem)];
    return { config: { value: lastGood, modRevision }, warnings };
  }
}

/** Undefined when the key is there but cannot be read. */
const lineageIn = (text: string | undefined) => (text === undefined ? [] : parseLineage(text));

function leaderIn(entry: KeyValue | undefined, termBase: number): Leader | undefined {
  if (entry === undefined) return undefined;
  return { name: entry.value, term: entry.createRevision + termBase, leaseId: entry.lease };
}

/** A hold that an acquire has just written bears its revision in the place of its term. */
const withTerm = (hold: Hold, termBase: number): Hold =>
  hold.term === hold.modRevision ? { ...hold, term: hold.term + termBase } : hold;
