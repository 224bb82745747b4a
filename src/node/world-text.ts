// How does a world lie in a file, and come back as the very same value?
//
// JSON knows no large integers, no infinity and no bytes; a world has all three. Each is written as an object with one
// telling key, and a string is never taken for any of them.

import { Secret } from "../model/secret.ts";

const BIG = "$big";
const NUMBER = "$number";
const BYTES = "$bytes";

/** One line of JSON. Fields without a value are left out: absent and undefined mean the same everywhere. */
export const printWorld = (world: unknown): string => JSON.stringify(coded(world));

/** The value again. Throws what JSON throws for a text that is none. */
export const parseWorld = (text: string): unknown => decoded(JSON.parse(text));

function coded(value: unknown): unknown {
  if (typeof value === "bigint") return { [BIG]: value.toString() };
  if (typeof value === "number" && !Number.isFinite(value)) return { [NUMBER]: String(value) };
  if (value instanceof Uint8Array) return { [BYTES]: [...value] };
  if (Array.isArray(value)) return value.map(coded);
  if (typeof value !== "object" || value === null) return value;
  // A secret prints as stars, and stays one.
  if (value instanceof Secret) return value.toString();
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, field]) =>
      field === undefined || typeof field === "function" ? [] : [[key, coded(field)]],
    ),
  );
}

function decoded(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decoded);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  const [only] = entries;
  if (entries.length === 1 && only !== undefined) {
    const [key, field] = only;
    if (key === BIG) return BigInt(String(field));
    if (key === NUMBER) return Number(field);
    if (key === BYTES) return Uint8Array.from(field as number[]);
  }
  return Object.fromEntries(entries.map(([key, field]) => [key, decoded(field)]));
}
