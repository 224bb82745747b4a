// Which other site does the configuration say that this cluster follows?
import type { StandbyCluster } from "../site.ts";
import { isSlotName } from "../slot.ts";
import { isObject, type JsonObject } from "./json.ts";

const POSTGRES_PORT = 5432;
const KNOWN = [
  "host",
  "port",
  "primary_slot_name",
  "restore_command",
  "recovery_min_apply_delay",
  "create_replica_methods",
  "archive_cleanup_command",
] as const;

/** Kept and shown, and what holds instead. */
const NOT_ACTED_ON = {
  create_replica_methods: "the methods of each node's own file are used",
  archive_cleanup_command: "members would remove from the archive what others still need",
} as const;

/** `standby_cluster`, or the sentence that says what is wrong with it. An empty map asks for nothing. */
export function readStandbyCluster(value: unknown): StandbyCluster | undefined | string {
  if (!isObject(value)) return "must be a map with a host";
  if (Object.keys(value).length === 0) return undefined;
  const unknown = Object.keys(value).find((key) => !KNOWN.some((known) => known === key));
  if (unknown !== undefined) return `${unknown} is not known: ${KNOWN.join(", ")}`;
  const host = textOf(value, "host")?.replaceAll(/\s/g, "");
  if (host === undefined || !host.split(",").every((one) => /^[A-Za-z0-9_.:%-]+$/.test(one)))
    return "needs a host, or several with commas between";
  const port = Number(value["port"] ?? POSTGRES_PORT);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    return "port must be one number from 1 to 65535, the same on every host";
  const slot = textOf(value, "primary_slot_name");
  if (slot !== undefined && !isSlotName(slot))
    return "primary_slot_name has 1 to 63 lower-case letters, digits and underscores";
  return {
    host,
    port,
    slot,
    restoreCommand: textOf(value, "restore_command"),
    applyDelay: textOf(value, "recovery_min_apply_delay"),
  };
}

/** What is set beside it and has no effect while the cluster follows another site. */
export function warningsBeside(raw: JsonObject): readonly string[] {
  const site = raw["standby_cluster"];
  if (!isObject(site) || Object.keys(site).length === 0) return [];
  const kept = Object.entries(NOT_ACTED_ON)
    .filter(([key]) => site[key] !== undefined && site[key] !== null)
    .map(([key, why]) => `standby_cluster.${key}: kept, but not acted on, ${why}`);
  const mode = raw["synchronous_mode"];
  const isAsked = mode !== undefined && mode !== null && mode !== false && mode !== "off";
  const ignored = "synchronous_mode: ignored while the cluster follows another site";
  return isAsked ? [...kept, ignored] : kept;
}

function textOf(from: JsonObject, key: string): string | undefined {
  const value = from[key];
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}
