// Which maintenance keeps clients waiting at this moment, or soon will? What runs on the primary, and which restarts wait.

import { judgeSql } from "./judge.ts";
import { HELD, type Judgement, LEFT_OPEN } from "./judgement.ts";

/** A session that runs maintenance, or holds a lock that others wait for. */
export interface RunningFacts {
  readonly pid: number;
  readonly database: string;
  readonly user: string;
  readonly application: string;
  readonly state: string;
  readonly statement: string;
  /** Since its statement began, or its transaction where it is idle in one. */
  readonly forMs: number;
  /** It waits for a lock itself. */
  readonly waits: boolean;
  /** Sessions that wait for it, and how long the first of them has waited. */
  readonly blocked: number;
  readonly blockedMs: number;
  /** Phase and share of the work as the server tells it. */
  readonly phase?: string;
  readonly donePercent?: number;
}

export interface Flagged {
  readonly facts: RunningFacts;
  readonly judgement: Judgement;
}

/** What blocks, or waits for its lock with others behind it; the one with most waiting first. */
export function flaggedIn(running: readonly RunningFacts[]): readonly Flagged[] {
  return running
    .map((facts) => ({ facts, judgement: judgementOf(facts) }))
    .filter(({ facts, judgement }) => facts.blocked > 0 || judgement.weight === "blocks")
    .toSorted((a, b) => b.facts.blocked - a.facts.blocked || b.facts.forMs - a.facts.forMs);
}

/** A transaction that others wait for holds its locks whatever it says now. */
function judgementOf({ state, statement, blocked }: RunningFacts): Judgement {
  if (state.startsWith("idle in transaction")) return LEFT_OPEN;
  const [first = HELD] = judgeSql(statement);
  const isHeld = blocked > 0 && (first.weight === "free" || first.weight === "unknown");
  return isHeld ? HELD : first;
}
