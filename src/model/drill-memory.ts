// What does a member remember of its drills? Written by the worker, read by the agent's metrics and by the doctor.
import type { DrillProof } from "./drill.ts";
import { isObject } from "./wire/json.ts";

export interface DrillMemory {
  readonly last: Pick<DrillProof, "id" | "outcome" | "begunAtMs" | "endedAtMs" | "repo"> &
    Partial<Pick<DrillProof, "rtoMs" | "rpo">>;
  /** When the last one that passed ended; absent when none ever did. */
  readonly lastPassedAtMs?: number;
}

/** Below the state directory. */
export const drillMemoryFile = "server/drill.json";

/** Undefined when there is none, or it cannot be read. */
export function parseDrillMemory(text: string): DrillMemory | undefined {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return undefined;
  }
  const last = isObject(read) ? read["last"] : undefined;
  if (!isObject(last) || !Number.isSafeInteger(last["endedAtMs"])) return undefined;
  return read as DrillMemory;
}
