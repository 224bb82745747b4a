// What does a statement keep others from, for how long, and what is the form that does not? The words for an answer.

/**
 * `blocks`: for as long as it works. `brief`: for a moment, once it has the lock; but while it waits for that, everybody
 * waits behind it. `free`: nobody waits for it. `unknown`: this reader cannot tell, and says so.
 */
export type Weight = "blocks" | "brief" | "free" | "unknown";

/** What it does meanwhile, which says how long it takes. */
export type Work = "rewrite" | "index" | "scan";

export interface Judgement {
  /** A name for the kind of statement, e.g. `VACUUM FULL`. */
  readonly what: string;
  readonly weight: Weight;
  /** Who waits: a sentence without its subject. */
  readonly holds: string;
  readonly work?: Work;
  /** What may be wrong with this judgement; absent where nothing may. */
  readonly doubt?: string;
  /** The form that does not block. */
  readonly instead?: string;
  /** `name`, or `schema` and `name`. */
  readonly relation?: Relation;
}

export interface Relation {
  readonly kind: "table" | "index" | "view";
  readonly name: readonly string[];
}

export const ALL = "keeps reads and writes of the table waiting";
export const WRITES = "keeps writes to the table waiting, reads go on";
const NOBODY = "keeps nobody waiting";

const LOCK_TIMEOUT =
  "SET lock_timeout = '2s' first, and try again when it ends: while it waits for its lock, everybody waits behind it";

/** A lock that is held for a moment. */
export const brief = (what: string): Judgement => ({
  what,
  weight: "brief",
  holds: `${ALL} for a moment`,
  instead: LOCK_TIMEOUT,
});
export const free = (what: string): Judgement => ({ what, weight: "free", holds: NOBODY });

/** The heaviest first: what a statement with several parts is judged by. */
const ORDER: readonly Weight[] = ["blocks", "unknown", "brief", "free"];

export const heaviest = (judgements: readonly Judgement[]): Judgement | undefined =>
  judgements.toSorted((a, b) => ORDER.indexOf(a.weight) - ORDER.indexOf(b.weight))[0];

/** A transaction that others wait for holds its locks whatever it says now. */
export const HELD: Judgement = {
  what: "a transaction with locks",
  weight: "blocks",
  holds: "keeps what it has locked until it ends",
};
export const LEFT_OPEN: Judgement = {
  ...HELD,
  what: "a transaction that is left open",
  instead: "idle_in_transaction_session_timeout ends such a one by itself",
};

/** No maintenance: others wait for what somebody has locked. */
export const isHeldLock = (judgement: Judgement): boolean =>
  judgement === HELD || judgement === LEFT_OPEN;
