// How is a pause written into the dynamic configuration, beside the word that Patroni's tools read?
import type { PauseNote } from "../pause.ts";
import { isObject, type JsonObject, textIn } from "./json.ts";
import { parseRfc3339, printRfc3339 } from "./rfc3339.ts";

const FIELDS = ["by", "reason", "since", "until"];
const LONGEST = 200;
const OF_A_PAUSE = ["pause", "pause_note"];

/** The note, or the sentence that says what is wrong with it. */
export function readPauseNote(value: unknown): PauseNote | string {
  if (!isObject(value)) return `must be a map of ${FIELDS.join(", ")}`;
  const stranger = Object.keys(value).find((name) => !FIELDS.includes(name));
  if (stranger !== undefined) return `has no field ${stranger}, only ${FIELDS.join(", ")}`;
  for (const name of FIELDS) {
    const field = value[name] ?? undefined;
    if (field !== undefined && (typeof field !== "string" || field.length > LONGEST)) {
      return `${name} must be a text of at most ${LONGEST} letters`;
    }
  }
  const [since, until] = [textIn(value["since"]), textIn(value["until"])];
  const [sinceMs, untilMs] = [since, until].map((text) =>
    text === undefined ? undefined : parseRfc3339(text),
  );
  if (since !== undefined && sinceMs === undefined) return "since must be a time with its zone";
  if (until !== undefined && untilMs === undefined) return "until must be a time with its zone";
  return { by: textIn(value["by"]), reason: textIn(value["reason"]), sinceMs, untilMs };
}

/** The note as it is stored; absent fields are left out. */
export const printPauseNote = ({ by, reason, sinceMs, untilMs }: PauseNote): JsonObject => ({
  by,
  reason,
  since: sinceMs === undefined ? undefined : printRfc3339(sinceMs),
  until: untilMs === undefined ? undefined : printRfc3339(untilMs),
});

/**
 * A word about the pause without a note of its own, as Patroni's tools write it, takes the old note away: its end
 * belongs to another pause.
 */
export const withoutOldNote = (change: JsonObject): JsonObject =>
  "pause" in change && !("pause_note" in change) ? { ...change, pause_note: null } : change;

/** The configuration once the pause is over. */
export const resumed = (raw: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(raw).filter(([name]) => !OF_A_PAUSE.includes(name)));
