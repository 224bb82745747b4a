// What do the keys of a cluster, read at one revision, say?
import type { ClusterSnapshot, Hold, Leader, Versioned } from "../model/cluster.ts";
import { DEFAULT_CONFIG, type DynamicConfig, holdMsOf } from "../model/config.ts";
import type { Member } from "../model/member.ts";
import type { RouterStatus } from "../model/route.ts";
import { isSame } from "../model/same.ts";
import type { Ms } from "../model/time.ts";
import { type ParsedConfig, parseConfig, printProblem } from "../model/wire/config.ts";
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

type Text = string | undefined;

/** What one key said when it was read last. */
interface Reading {
  readonly entry: KeyValue | undefined;
  readonly versioned: Versioned<unknown>;
}

/** What the value of `hold` means depends on it. */
interface HoldLight {
  readonly unreadableMs: Ms;
  readonly termBase: number;
}

interface LastSnapshot {
  readonly entries: readonly KeyValue[];
  readonly lastGood: DynamicConfig | undefined;
  readonly snapshot: ClusterSnapshot;
}

/**
 * Reads whole snapshots. What has not changed since the last one is not read again, and is the very same value: most
 * looks find nothing new, and every look pays for this.
 */
export class SnapshotReader {
  readonly #keys: Keys;
  readonly #readings = new Map<string, Reading>();
  #last: LastSnapshot | undefined;
  #hold: { entry: KeyValue; light: HoldLight; hold: Hold } | undefined;

  constructor(keys: Keys) {
    this.#keys = keys;
  }

  /** `lastGood` is the configuration that holds while the stored one is unusable (R44). */
  read(range: Range, lastGood: DynamicConfig | undefined): ClusterSnapshot {
    const { entries, header } = range;
    const last = this.#last;
    const isUnchanged =
      last !== undefined && last.lastGood === lastGood && areSame(last.entries, entries);
    if (isUnchanged) return { ...last.snapshot, header };
    const snapshot = this.#readAnew(range, lastGood);
    this.#last = { entries, lastGood, snapshot };
    return snapshot;
  }

  #readAnew({ entries, header }: Range, lastGood: DynamicConfig | undefined): ClusterSnapshot {
    const keys = this.#keys;
    const at = new Map<string, KeyValue>();
    for (const entry of entries) at.set(entry.key, entry);
    const read = <T>(key: string, parse: (text: Text) => T): Versioned<T> =>
      this.#once(key, at.get(key), parse);
    const members = this.#membersIn(entries);
    const { config, warnings } = this.#configIn(at.get(keys.config), members, lastGood);
    const lineage = read(keys.lineage, lineageIn);
    const succession = read(keys.succession, parseSuccession);
    const termBase = succession.value?.termBase ?? 0;
    const unreadableMs = holdMsOf(config.value ?? DEFAULT_CONFIG);
    const hold = this.#holdIn(at.get(keys.hold), { unreadableMs, termBase });
    return {
      header,
      initialize: read(keys.initialize, initializeIn),
      config,
      configWarnings:
        lineage.value === undefined ? [...warnings, "lineage: the key cannot be read"] : warnings,
      leader: leaderIn(at.get(keys.leader), termBase),
      hold,
      members,
      failover: read(keys.failover, parseFailover),
      // The older key counts only while the newer one was never written.
      status: at.has(keys.status)
        ? read(keys.status, parseStatus)
        : { ...read(keys.oldStatus, parseStatus), modRevision: 0 },
      history: read(keys.history, parseHistoryRows),
      lineage: { ...lineage, value: lineage.value ?? [] },
      sync: read(keys.sync, parseSync),
      roster: read(keys.known, rosterIn),
      routers: this.#routersIn(entries),
      unguarded: read(keys.unguarded, parseUnguarded),
      succession,
    };
  }

  /** `name` is the key, or the key in one of the lights in which it can be read. The same text is the same value. */
  #once<T>(name: string, entry: KeyValue | undefined, parse: (text: Text) => T): Versioned<T> {
    const known = this.#readings.get(name);
    if (known !== undefined && isSameEntry(known.entry, entry)) {
      return known.versioned as Versioned<T>;
    }
    const isSameText = known !== undefined && known.entry?.value === entry?.value;
    const value = isSameText ? (known.versioned.value as T) : parse(entry?.value);
    const versioned = { value, modRevision: entry?.modRevision ?? 0 };
    this.#readings.set(name, { entry, versioned });
    return versioned;
  }

  #membersIn(entries: readonly KeyValue[]): readonly Member[] {
    const members: Member[] = [];
    for (const entry of entries) {
      const name = this.#keys.memberOf(entry.key);
      if (name === undefined) continue;
      members.push(this.#once(entry.key, entry, (text = "") => parseMember(name, text)).value);
    }
    return members;
  }

  /** Not by its text alone: what an acquire has just written has the term that begins at its revision. */
  #holdIn(entry: KeyValue | undefined, light: HoldLight): Hold | undefined {
    if (entry === undefined) return undefined;
    const last = this.#hold;
    if (last !== undefined && isSameEntry(last.entry, entry) && isSame(last.light, light))
      return last.hold;
    const { modRevision, value } = entry;
    const { termBase, unreadableMs } = light;
    const hold = { ...parseHold(value, modRevision + termBase, unreadableMs), modRevision };
    this.#hold = { entry, light, hold };
    return hold;
  }

  #routersIn(entries: readonly KeyValue[]): readonly RouterStatus[] {
    const routers: RouterStatus[] = [];
    for (const entry of entries) {
      const name = this.#keys.routerOf(entry.key);
      if (name === undefined) continue;
      routers.push(this.#once(entry.key, entry, (text = "") => parseRouter(name, text)).value);
    }
    return routers;
  }

  #configIn(
    entry: KeyValue | undefined,
    members: readonly Member[],
    lastGood: DynamicConfig | undefined,
  ): { config: Versioned<DynamicConfig | undefined>; warnings: readonly string[] } {
    if (entry === undefined) return { config: { value: undefined, modRevision: 0 }, warnings: [] };
    const allOurs = members.every((m) => m.ours?.hold === true);
    const name = allOurs ? entry.key : `${entry.key} of a mixed cluster`;
    const { value: parsed, modRevision } = this.#once<ParsedConfig>(name, entry, (text = "") =>
      parseConfig(text, { mode: "lenient", allOurs }),
    );
    if (parsed.kind === "ok") {
      return { config: { value: parsed.config, modRevision }, warnings: parsed.warnings };
    }
    const kept = lastGood === undefined ? "the defaults hold" : "the last good one holds";
    const warnings = [`config: refused, ${kept}`, ...parsed.problems.map(printProblem)];
    return { config: { value: lastGood, modRevision }, warnings };
  }
}

/** Whatever can be seen of a key is the same. A revision alone is not proof: it can come twice in a restored store. */
const isSameEntry = (a: KeyValue | undefined, b: KeyValue | undefined): boolean =>
  a === b ||
  (a !== undefined &&
    b !== undefined &&
    a.modRevision === b.modRevision &&
    a.createRevision === b.createRevision &&
    a.key === b.key &&
    a.lease === b.lease &&
    a.value === b.value);

const areSame = (a: readonly KeyValue[], b: readonly KeyValue[]): boolean =>
  a === b || (a.length === b.length && a.every((entry, i) => isSameEntry(entry, b[i])));

const initializeIn = (text: Text): Text => (text === "" ? undefined : text);

/** Undefined when the key is there but cannot be read. */
const lineageIn = (text: Text) => (text === undefined ? [] : parseLineage(text));

/** An unreadable list must not let everybody in. */
const rosterIn = (text: Text) => (text === undefined ? undefined : (parseRoster(text) ?? {}));

function leaderIn(entry: KeyValue | undefined, termBase: number): Leader | undefined {
  if (entry === undefined) return undefined;
  return { name: entry.value, term: entry.createRevision + termBase, leaseId: entry.lease };
}
