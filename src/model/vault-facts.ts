// What does the agent tell its vault worker at every look? Only whom to receive WAL from, if this node is the one to do so.
import type { Address } from "./address.ts";
import { isObject, parseJson } from "./wire/json.ts";

export interface VaultFacts {
  /** The primary to receive from; undefined while it is not this node's turn, or nobody leads. */
  readonly receiveFrom: Address | undefined;
}

export const printFacts = (facts: VaultFacts): string => JSON.stringify(facts);

/** What cannot be read asks for nothing. */
export function parseFacts(text: string): VaultFacts {
  const read = parseJson(text);
  const from = isObject(read) ? read["receiveFrom"] : undefined;
  if (!isObject(from)) return { receiveFrom: undefined };
  const { host, port } = from;
  if (typeof host !== "string" || typeof port !== "number") return { receiveFrom: undefined };
  return { receiveFrom: { host, port } };
}
