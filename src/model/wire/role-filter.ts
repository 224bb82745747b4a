// Which roles may a restart be limited to?
import { printRole } from "./role.ts";

const RESTART_ROLES = new Set<unknown>(["primary", "standby_leader", "replica"]);

/** The role in the words of the field's tools; ours for a standby is understood as well. Undefined for any other. */
export function restartRole(role: unknown): string | undefined {
  const word = role === "standby" ? printRole(role) : role;
  return typeof word === "string" && RESTART_ROLES.has(word) ? word : undefined;
}
