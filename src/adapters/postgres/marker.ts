// Was this data directory being rebuilt when something went wrong (R32)?
//
// The marker lies outside the directory, because what is half rebuilt inside proves nothing. While it is there, only
// doing the work again is allowed.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { removeDurably, writeDurably } from "../system/durable-file.ts";
import { isAbsent } from "./files.ts";

export interface Marker {
  readonly work: "initialise" | "clone" | "rewind";
  /** Where the new directory is being made, when that is beside the old one. */
  readonly sibling?: string;
}

export const markerPath = (stateDir: string): string => join(stateDir, "rebuild.json");

/** The marker; one that cannot be read still marks. */
export async function readMarker(stateDir: string): Promise<Marker | "unreadable" | undefined> {
  const text = await readFile(markerPath(stateDir), "utf8").catch(isAbsent);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Marker;
  } catch {
    return "unreadable";
  }
}

export const writeMarker = (stateDir: string, marker: Marker): Promise<void> =>
  writeDurably(markerPath(stateDir), `${JSON.stringify(marker)}\n`);

export const clearMarker = (stateDir: string): Promise<void> => removeDurably(markerPath(stateDir));
