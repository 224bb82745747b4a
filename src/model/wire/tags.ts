// How are a member's tags written for tools that know Patroni's names?
import { DEFAULT_TAGS, type Tags } from "../settings.ts";
import { booleanIn, integerIn, isObject, textIn } from "./json.ts";

const FLAGS = ["nofailover", "noloadbalance", "nosync", "clonefrom", "nostream"] as const;
const NAMED = new Set<string>([...FLAGS, "failover_priority", "sync_priority", "replicatefrom"]);

/** Only what differs from the defaults, as readers expect it. */
export function printTags(tags: Tags): Readonly<Record<string, unknown>> {
  const custom = Object.entries(tags.custom).filter(([name]) => !NAMED.has(name));
  const flags = FLAGS.filter((flag) => tags[flag]).map((flag) => [flag, true] as const);
  const more: (readonly [string, unknown])[] = [];
  if (tags.failoverPriority !== DEFAULT_TAGS.failoverPriority) {
    more.push(["failover_priority", tags.failoverPriority]);
  }
  if (tags.syncPriority !== undefined) more.push(["sync_priority", tags.syncPriority]);
  if (tags.replicatefrom !== undefined) more.push(["replicatefrom", tags.replicatefrom]);
  return Object.fromEntries([...custom, ...flags, ...more]);
}

/** Reads tags as Patroni publishes them; a priority of zero or less means the same as nofailover. */
export function parseTags(value: unknown): Tags {
  if (!isObject(value)) return DEFAULT_TAGS;
  const flag = (name: string): boolean => booleanIn(value[name]) ?? false;
  const priority = integerIn(value["failover_priority"]) ?? DEFAULT_TAGS.failoverPriority;
  const syncPriority = integerIn(value["sync_priority"]);
  const replicatefrom = textIn(value["replicatefrom"]);
  return {
    nofailover: flag("nofailover") || priority <= 0,
    noloadbalance: flag("noloadbalance"),
    nosync: flag("nosync") || (syncPriority !== undefined && syncPriority <= 0),
    clonefrom: flag("clonefrom"),
    nostream: flag("nostream"),
    failoverPriority: priority,
    ...(syncPriority === undefined ? {} : { syncPriority }),
    ...(replicatefrom === undefined ? {} : { replicatefrom }),
    custom: Object.fromEntries(Object.entries(value).filter(([name]) => !NAMED.has(name))),
  };
}
