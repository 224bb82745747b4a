// What may this member become, who watches the machine, and what is logged?

import { DEFAULT_TAGS, type LogSettings, type Tags, type WatchdogSettings } from "./settings.ts";
import type { Section } from "./settings-reader.ts";
import { type Ms, seconds } from "./time.ts";
import { USUAL_MARGIN_MS } from "./watchdog-time.ts";

const NAMED = [
  "nofailover",
  "noloadbalance",
  "nosync",
  "clonefrom",
  "nostream",
  "failover_priority",
  "sync_priority",
  "replicatefrom",
];

/** Tags of this node. An explicit flag beats the priority that contradicts it, as in Patroni. */
export function readTags(root: Section): Tags {
  const section = root.section("tags");
  const priority = section.number("failover_priority");
  const nofailover = section.flag("nofailover");
  if (nofailover !== undefined && priority !== undefined && nofailover !== priority <= 0) {
    section.warn(
      "failover_priority",
      overruled(["nofailover", nofailover], ["failover_priority", priority]),
    );
  }
  const syncPriority = section.number("sync_priority");
  const nosync = section.flag("nosync");
  if (nosync !== undefined && syncPriority !== undefined && nosync !== syncPriority <= 0) {
    section.warn("sync_priority", overruled(["nosync", nosync], ["sync_priority", syncPriority]));
  }
  const replicatefrom = section.text("replicatefrom");
  if (replicatefrom !== undefined && replicatefrom === root.text("name")) {
    section.problem("replicatefrom", "must name another member: nobody copies from itself");
  }
  const nostream = section.flag("nostream") ?? false;
  if (nostream && replicatefrom !== undefined) {
    section.warn("replicatefrom", "has no effect beside nostream: true, which streams from nobody");
  }
  const custom: Record<string, unknown> = {};
  for (const name of section.names()) {
    if (!NAMED.includes(name)) custom[name] = section.plain(name);
  }
  return {
    nofailover: nofailover ?? (priority !== undefined && priority <= 0),
    noloadbalance: section.flag("noloadbalance") ?? false,
    nosync: nosync ?? (syncPriority !== undefined && syncPriority <= 0),
    clonefrom: section.flag("clonefrom") ?? false,
    nostream,
    ...(syncPriority === undefined ? {} : { syncPriority }),
    failoverPriority: priority ?? DEFAULT_TAGS.failoverPriority,
    ...(replicatefrom === undefined || replicatefrom === "" ? {} : { replicatefrom }),
    custom,
  };
}

/** In Patroni's words, which readers of its log look for. */
function overruled(
  [flag, isSet]: readonly [string, boolean],
  [priority, value]: readonly [string, number],
): string {
  const wins = `${flag}: ${isSet ? "True" : "False"}`;
  return `does not count. Conflicting configuration between ${wins} and ${priority}: ${value}. Defaulting to ${wins}`;
}

export function readWatchdog(root: Section): WatchdogSettings {
  const section = root.section("watchdog");
  const settings: WatchdogSettings = {
    mode: section.choice("mode", ["off", "automatic", "required"]) ?? "automatic",
    device: section.path("device") ?? "/dev/watchdog",
    safetyMarginMs: readMargin(section),
    isForTests: section.choice("driver", ["default", "testing"]) === "testing",
  };
  section.close();
  return settings;
}

/** The fence feeds four times a second; a device with less patience than this would reset a busy host. */
const LEAST_MARGIN_S = 2;

function readMargin(section: Section): Ms | undefined {
  const margin = section.number("safety_margin", { min: -1 });
  if (margin === undefined) return USUAL_MARGIN_MS;
  if (margin === -1) return undefined;
  if (margin < LEAST_MARGIN_S)
    section.warn("safety_margin", `is too short for a busy host: ${LEAST_MARGIN_S} s are taken`);
  return seconds(Math.max(margin, LEAST_MARGIN_S));
}

const LEVELS = ["error", "warn", "warning", "critical", "info", "debug"] as const;

export function readLog(root: Section): LogSettings {
  const section = root.section("log");
  const level = section.choice("level", LEVELS) ?? "info";
  const folder = section.path("dir");
  const file = section.path("file") ?? (folder && `${folder}/understudy.log`);
  section.choice("type", ["plain", "json"]);
  // Patroni's own value may be a list of fields.
  const isPatronis = section.plain("format") === "patroni";
  if (!isPatronis) section.notUsed("format");
  section.notUsed("dateformat", "static_fields", "loggers", "mode");
  section.notUsed("traceback_level", "deduplicate_heartbeat_logs");
  section.notUsed("max_queue_size", "file_num", "file_size");
  section.close();
  return { level: plainLevel(level), file, isPatronis };
}

function plainLevel(level: (typeof LEVELS)[number]): LogSettings["level"] {
  if (level === "warning") return "warn";
  return level === "critical" ? "error" : level;
}
