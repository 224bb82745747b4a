// Why did a client's attempt fail: was its statement under way already, or did no server ever have it?
import { sqlState } from "./session.ts";

export type Failure =
  /** The write had been sent: it exists or not. */
  | "in-flight"
  /** No session, or a session without a server: nothing was executed. */
  | "refused";

/** What speaks of a statement that a server has never seen. */
const READ_ONLY_TRANSACTION = "25006";
const PROTOCOL_VIOLATION = "08P01";
/**
 * A pooler whose login was refused and one whose server died under a statement give the same code, so its words are all
 * that tells them apart. Nothing but a figure hangs on them.
 */
const LOGIN_REFUSED = /^server login (?:has been failing|failed)/;

/** Why a write failed that a client had handed in. */
export function failureOfWrite(error: unknown): Failure {
  const code = sqlState(error);
  if (code === READ_ONLY_TRANSACTION) return "refused";
  const words = error instanceof Error ? error.message : "";
  return code === PROTOCOL_VIOLATION && LOGIN_REFUSED.test(words) ? "refused" : "in-flight";
}
