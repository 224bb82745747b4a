// Where do incidents lie, so that they outlive the events that they were told from?
import type { Incident } from "../../incident/incident.ts";
import { isObject } from "../../model/wire/json.ts";
import { readRecords, writeRecords } from "../record-files.ts";

const ID = /^I-\d{8}-\d{6}$/;

/** Oldest first; a damaged file is left out. */
export const readIncidents = (folder: string): Promise<readonly Incident[]> =>
  readRecords(folder, (value) => (isIncident(value) ? value : undefined));

/** Writes what has changed, and removes the files of other ids of the same incident and the oldest ones. */
export const writeIncidents: typeof writeRecords<Incident> = writeRecords;

/** Whether it has the fields that everything here relies on. */
export function isIncident(value: unknown): value is Incident {
  if (!isObject(value)) return false;
  const { id, kind, title, startedAt, lines, missing, checklist, cause } = value;
  return (
    typeof id === "string" &&
    ID.test(id) &&
    typeof kind === "string" &&
    typeof title === "string" &&
    typeof startedAt === "number" &&
    Array.isArray(lines) &&
    Array.isArray(missing) &&
    Array.isArray(checklist) &&
    isObject(cause)
  );
}
