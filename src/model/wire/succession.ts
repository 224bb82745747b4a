// How does the key `succession` stand in the store?
import type { Succession } from "../succession.ts";
import { integerIn, isObject, parseJson, printJson, textIn } from "./json.ts";

export const printSuccession = ({ id, systemId, termBase, by }: Succession): string =>
  printJson({ id, systemId, termBase, by });

/** Undefined when it is absent or cannot be read: such a store continues nothing. */
export function parseSuccession(text: string | undefined): Succession | undefined {
  const value = text === undefined ? undefined : parseJson(text);
  if (!isObject(value)) return undefined;
  const id = textIn(value["id"]);
  const systemId = textIn(value["systemId"]);
  const termBase = integerIn(value["termBase"]);
  if (id === undefined || systemId === undefined || termBase === undefined) return undefined;
  return termBase < 0 ? undefined : { id, systemId, termBase, by: textIn(value["by"]) ?? "?" };
}
