// What is the name of the replication slot that belongs to a member?

const LONGEST_SLOT_NAME = 63;
const ALREADY_LEGAL = /^[a-z0-9_]{1,63}$/;

/**
 * The physical slot of a member, by the rule that Patroni's tools expect: lower case, `-` and `.` become `_`, any
 * other character that PostgreSQL does not allow becomes `u` and its code point in at least four digits.
 * Two members whose names meet in one slot are a mistake of the configuration; the caller reports it.
 */
export function slotNameOf(member: string): string {
  if (ALREADY_LEGAL.test(member)) return member;
  const legal = Array.from(member.toLowerCase(), (character) => {
    if (/[a-z0-9_]/.test(character)) return character;
    if (character === "-" || character === ".") return "_";
    return `u${String(character.codePointAt(0) ?? 0).padStart(4, "0")}`;
  });
  return legal.join("").slice(0, LONGEST_SLOT_NAME);
}
