// Do two plain values say the same?

type Fields = Readonly<Record<string, unknown>>;

/** Plain data only. A field that is absent and one that is undefined mean the same, in whatever order they stand. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [one, other] = [a as Fields, b as Fields];
  for (const name in one) if (!isSame(one[name], other[name])) return false;
  for (const name in other) {
    if (other[name] !== undefined && one[name] === undefined) return false;
  }
  return true;
}
