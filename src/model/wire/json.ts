// How do JSON texts in the store become plain values and back without losing a byte of a WAL position?

export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A string literal (kept as it is) or a whole number too long for a double. */
const STRING_OR_LONG_INTEGER = /"(?:[^"\\]|\\.)*"|(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/g;

const LONG_DIGITS = /\d{16}/;

/**
 * Parses JSON; answers undefined when it is not JSON. Whole numbers of sixteen digits and more arrive as
 * text, because a double would round them: a WAL position may be that large.
 */
export function parseJson(text: string): unknown {
  // Looking at every literal is the larger part of the price: only a text with that many digits in a row pays it.
  const safe = !LONG_DIGITS.test(text)
    ? text
    : text.replace(STRING_OR_LONG_INTEGER, (found) =>
        found.startsWith('"') ? found : `"${found}"`,
      );
  try {
    return JSON.parse(safe);
  } catch {
    return undefined;
  }
}

/** Compact JSON as Patroni writes it: no spaces, absent fields left out, bigints as plain numbers. */
export function printJson(value: unknown): string {
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) {
    return `[${value.map((item) => (item === undefined ? "null" : printJson(item))).join(",")}]`;
  }
  if (isObject(value)) {
    let fields = "";
    for (const name of Object.keys(value)) {
      if (value[name] === undefined) continue;
      fields += `${fields === "" ? "" : ","}${JSON.stringify(name)}:${printJson(value[name])}`;
    }
    return `{${fields}}`;
  }
  return JSON.stringify(value) ?? "null";
}

export const textIn = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

/** A text, number or boolean as text; anything else says nothing. */
export const scalarText = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : "";

/** A whole number in the range that a double holds exactly. */
export const integerIn = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isSafeInteger(value) ? value : undefined;

/** Booleans, and the words that YAML files and people use for them. */
export function booleanIn(value: unknown): boolean | undefined {
  if (typeof value === "boolean") return value;
  if (value === 1 || value === 0) return value === 1;
  if (typeof value !== "string") return undefined;
  const word = value.toLowerCase();
  if (["true", "on", "yes", "1"].includes(word)) return true;
  if (["false", "off", "no", "0"].includes(word)) return false;
  return undefined;
}
