// What do the keys of a cluster, read at one revision, say?
import type { ClusterSnapshot, Leader, Versioned } from "../model/cluster.ts";
import { DEFAULT_CONFIG, type DynamicConfig, holdMsOf } from "../model/config.ts";
import type { Member } from "../model/member.ts";
import { parseConfig, printProblem } from "../model/wire/config.ts";
import {
  parseFailover,
  parseHistoryRows,
  parseHold,
  parseLineage,
  parseNames,
  parseStatus,
} from "../model/wire/dcs.ts";
import { parseMember } from "../model/wire/member.ts";
import type { KeyValue, Range } from "../ports/store.ts";
import type { Keys } from "./keys.ts";

/** `lastGood` is the configuration that holds while the stored one is unusable (R44). */
export function snapshotOf(
  range: Range,
  keys: Keys,
  lastGood: DynamicConfig | undefined,
): ClusterSnapshot {
  const at = new Map(range.entries.map((entry) => [entry.key, entry]));
  const read = <T>(key: string, parse: (text: string | undefined) => T): Versioned<T> => {
    const entry = at.get(key);
    return { value: parse(entry?.value), modRevision: entry?.modRevision ?? 0 };
  };
  const members = membersIn(range.entries, keys);
  const warnings: string[] = [];
  const config = read(keys.config, (text) => configIn(text, { members, lastGood, warnings }));
  const hold = at.get(keys.hold);
  // The older key counts only while the newer one was never written.
  const statusKey = at.has(keys.status) ? keys.status : keys.oldStatus;
  return {
    header: range.header,
    initialize: read(keys.initialize, (text) => (text === "" ? undefined : text)),
    config,
    configWarnings: warnings,
    leader: leaderIn(at.get(keys.leader)),
    hold: hold && parseHold(hold.value, hold.modRevision, holdMsOf(config.value ?? DEFAULT_CONFIG)),
    members,
    failover: read(keys.failover, parseFailover),
    status: {
      ...read(statusKey, parseStatus),
      modRevision: at.get(keys.status)?.modRevision ?? 0,
    },
    history: read(keys.history, parseHistoryRows),
    lineage: read(keys.lineage, (text) => {
      const branches = text === undefined ? [] : parseLineage(text);
      if (branches === undefined) warnings.push("lineage: the key cannot be read");
      return branches ?? [];
    }),
    sync: read(keys.sync, (text) => text),
    // An unreadable list must not let everybody in.
    knownMembers: read(keys.known, (text) =>
      text === undefined ? undefined : (parseNames(text) ?? []),
    ),
  };
}

function leaderIn(entry: KeyValue | undefined): Leader | undefined {
  if (entry === undefined) return undefined;
  return { name: entry.value, term: entry.createRevision, leaseId: entry.lease };
}

function membersIn(entries: readonly KeyValue[], keys: Keys): readonly Member[] {
  return entries.flatMap((entry) => {
    const name = keys.memberOf(entry.key);
    return name === undefined ? [] : [parseMember(name, entry.value)];
  });
}

interface ConfigCircumstances {
  readonly members: readonly Member[];
  readonly lastGood: DynamicConfig | undefined;
  readonly warnings: string[];
}

function configIn(
  text: string | undefined,
  { members, lastGood, warnings }: ConfigCircumstances,
): DynamicConfig | undefined {
  if (text === undefined) return undefined;
  const allOurs = members.every((m) => m.ours?.hold === true);
  const parsed = parseConfig(text, { mode: "lenient", allOurs });
  if (parsed.kind === "ok") {
    warnings.push(...parsed.warnings);
    return parsed.config;
  }
  const kept = lastGood === undefined ? "the defaults hold" : "the last good one holds";
  warnings.push(`config: refused, ${kept}`, ...parsed.problems.map(printProblem));
  return lastGood;
}
