// Which slots does the configuration ask for, and which does it tell us to leave alone?
import { isSlotName, type PermanentSlot, type SlotPattern } from "../slot.ts";
import { isObject, type JsonObject, textIn } from "./json.ts";

const NAME_RULE = "a slot's name has 1 to 63 lower-case letters, digits and underscores";
const KINDS = ["physical", "logical"] as const;
const ONLY = ["primary", "standby"] as const;

const oneOf = <T extends string>(words: readonly T[], value: unknown): T | undefined =>
  words.find((word) => word === value);

/** `slots`: a map from names to what they are; anything but a map of its own means a physical slot. */
export function readPermanentSlots(value: unknown): readonly PermanentSlot[] | string {
  if (!isObject(value)) return "must be a map of slots by name";
  const slots: PermanentSlot[] = [];
  for (const [name, given] of Object.entries(value)) {
    if (!isSlotName(name)) return `"${name}" is not possible: ${NAME_RULE}`;
    const slot = readPermanent(name, isObject(given) ? given : {});
    if (typeof slot === "string") return `${name}: ${slot}`;
    slots.push(slot);
  }
  return slots;
}

function readPermanent(name: string, given: JsonObject): PermanentSlot | string {
  const type = given["type"] ?? "physical";
  const kind = oneOf(KINDS, type);
  if (kind === undefined) return "type must be physical or logical";
  const cluster = given["cluster_type"];
  const only = oneOf(ONLY, cluster);
  if (cluster !== undefined && only === undefined) return "cluster_type must be primary or standby";
  if (kind === "physical") return { name, logical: undefined, only };
  const database = textIn(given["database"]);
  const plugin = textIn(given["plugin"]);
  if (database === undefined) return "a logical slot needs its database";
  if (plugin === undefined) return "a logical slot needs its plugin, e.g. pgoutput";
  return { name, logical: { database, plugin }, only };
}

/** `ignore_slots`: a list of maps with any of name, type, database and plugin. */
export function readIgnoredSlots(value: unknown): readonly SlotPattern[] | string {
  if (!Array.isArray(value)) return "must be a list of maps";
  const patterns: SlotPattern[] = [];
  for (const item of value as readonly unknown[]) {
    if (!isObject(item)) return "must be a list of maps";
    const kind = oneOf(KINDS, item["type"]);
    if (item["type"] !== undefined && kind === undefined) return "type must be physical or logical";
    const [name, database, plugin] = ["name", "database", "plugin"].map((k) => textIn(item[k]));
    if ([name, kind, database, plugin].every((part) => part === undefined)) {
      return "an item needs a name, type, database or plugin, or it would fit every slot";
    }
    patterns.push({ name, kind, database, plugin });
  }
  return patterns;
}
