// What is a replication slot called, which ones shall always exist, and which are none of our business?
import type { SlotState } from "./server.ts";

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

/** PostgreSQL's own rule: 1 to 63 lower-case letters, digits and underscores. */
export const isSlotName = (name: string): boolean => /^[a-z0-9_]{1,63}$/.test(name);

/** A slot that the configuration asks for: it exists whoever leads. */
export interface PermanentSlot {
  readonly name: string;
  /** Absent for a physical slot. */
  readonly logical: { readonly database: string; readonly plugin: string } | undefined;
  /** Only while the cluster has a primary of its own, or only while it follows another one. */
  readonly only: "primary" | "standby" | undefined;
}

/** Slots that somebody else looks after: whatever fits every part named is left alone. */
export interface SlotPattern {
  readonly name: string | undefined;
  readonly kind: "physical" | "logical" | undefined;
  readonly database: string | undefined;
  readonly plugin: string | undefined;
}

export function fitsPattern(slot: SlotState, pattern: SlotPattern): boolean {
  const pairs = [
    [pattern.name, slot.name],
    [pattern.kind, slot.kind],
    [pattern.database, slot.logical?.database],
    [pattern.plugin, slot.logical?.plugin],
  ] as const;
  return pairs.every(([asked, is]) => asked === undefined || asked === is);
}
