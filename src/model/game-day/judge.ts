// Did the cluster do on a game day what it promises? Each promise by name, with what was found and its limit.
import { printBytes, printSpan } from "../amounts.ts";
import { type Lsn, lagBytes, parseLsn } from "../lsn.ts";
import type { Finding, GameDayKind, Pause, Verdict } from "./game-day.ts";

/** What was measured; whatever could not be is undefined. */
export interface Measured {
  readonly kind: GameDayKind;
  readonly from: string;
  /** Why the members did not do what was asked. */
  readonly refusal: string | undefined;
  readonly primaryAfter: string | undefined;
  readonly pauses: readonly Pause[];
  /** How long after its beginning every member was well and streamed again. */
  readonly settledMs: number | undefined;
  /** The primary's position at the last look before, and that of the primary now. */
  readonly positionBefore: string | undefined;
  readonly positionAfter: string | undefined;
  /** The last write of the drill's own probe that was acknowledged by the old primary. */
  readonly acknowledged: string | undefined;
  readonly history: History | undefined;
  readonly incident:
    | {
        readonly id: string;
        readonly isOver: boolean;
        readonly lost: string | undefined;
        readonly isLost: "no" | "possible" | "unknown" | undefined;
        /** Bytes that the new primary is known not to have; 0 where nobody knows of any. */
        readonly lostBytes: number;
        /** Steps of the failover checklist that are not done. */
        readonly open: readonly string[];
      }
    | undefined;
}

/** The primary goes on with the history of before, or with a new one that left it at that position. */
export type History = { readonly kind: "same" } | { readonly kind: "new"; readonly from: string };

export interface Limits {
  readonly maxPauseMs: number;
  readonly settleMs: number;
}

export function findingsOf(m: Measured, limits: Limits): readonly Finding[] {
  return [
    carriedOut(m),
    writePause(m, limits),
    positions(m),
    acknowledgedKept(m),
    lossTold(m),
    allStream(m, limits),
    leaderMoved(m),
    explained(m),
  ];
}

/** `failed` when a promise was broken; `unknown` when writes or data could not be judged at all. */
export function verdictOf(findings: readonly Finding[]): Verdict {
  if (findings.some(({ kept }) => kept === "no")) return "failed";
  return findings.some(({ kept }) => kept === "unknown") ? "unknown" : "passed";
}

const finding = (name: string, kept: Finding["kept"], found: string, limit: string): Finding => ({
  name,
  found,
  limit,
  kept,
});

const yes = (isSo: boolean): Finding["kept"] => (isSo ? "yes" : "no");

function carriedOut({ refusal }: Measured): Finding {
  const limit = "the members do what was asked";
  return finding("carried-out", yes(refusal === undefined), refusal ?? "it was done", limit);
}

/** The longest that any measure saw; a way in that was down for longer counts for its clients. */
function writePause({ pauses }: Measured, { maxPauseMs }: Limits): Finding {
  const limit = `at most ${printSpan(maxPauseMs)}`;
  const known = pauses.flatMap(({ ms, by }) => (ms === undefined ? [] : [{ ms, by }]));
  if (known.length === 0)
    return finding("write-pause", "unknown", "nothing could measure it", limit);
  const worst = known.reduce((a, b) => (a.ms >= b.ms ? a : b));
  const found = `${printSpan(worst.ms)} (${worst.by})`;
  return finding("write-pause", yes(worst.ms <= maxPauseMs), found, limit);
}

/** A primary whose WAL ends before where the old one's ended has lost something. */
function positions({ positionBefore, positionAfter }: Measured): Finding {
  const limit = "not before the position of before";
  const before = lsnIn(positionBefore);
  const after = lsnIn(positionAfter);
  if (before === undefined || after === undefined)
    return finding("position-kept", "unknown", "a position is not known", limit);
  const missing = lagBytes(before, after);
  const found =
    missing === 0
      ? `${positionBefore} before, ${positionAfter} after`
      : `${printBytes(missing)} are missing: ${positionBefore} before, ${positionAfter} after`;
  return finding("position-kept", yes(missing === 0), found, limit);
}

function acknowledgedKept({ acknowledged, history }: Measured): Finding {
  const name = "acknowledged-kept";
  const limit = "the last write that was acknowledged is in the new history";
  const last = lsnIn(acknowledged);
  if (last === undefined)
    return finding(name, "unknown", "no probe write was acknowledged before it", limit);
  if (history?.kind === "same")
    return finding(name, "yes", `${acknowledged}, and the history is the same`, limit);
  const left = lsnIn(history?.from);
  if (left === undefined)
    return finding(name, "unknown", "where the new history begins is not known", limit);
  // The record of the commit lies behind the position that was answered.
  const found = `${acknowledged}; the new history left the old one at ${history?.from}`;
  return finding(name, yes(last < left), found, limit);
}

function lossTold({ incident, history }: Measured): Finding {
  const name = "nothing-lost";
  const limit = "no byte that the old primary had";
  if (incident === undefined) return finding(name, "unknown", "no incident tells of it", limit);
  if (incident.isLost === undefined) {
    return history?.kind === "same"
      ? finding(name, "yes", "the history is the same", limit)
      : finding(name, "unknown", "the incident does not say", limit);
  }
  if (incident.isLost === "no") return finding(name, "yes", incident.lost ?? "?", limit);
  // What can be lost, and of which nobody has seen a byte, is no broken promise: nobody could say.
  const kept = incident.isLost === "possible" && incident.lostBytes > 0 ? "no" : "unknown";
  return finding(name, kept, incident.lost ?? "?", limit);
}

function allStream({ settledMs }: Measured, { settleMs }: Limits): Finding {
  const limit = `within ${printSpan(settleMs)}`;
  if (settledMs === undefined)
    return finding("everyone-streams", "no", "not by the end of that time", limit);
  return finding("everyone-streams", "yes", `after ${printSpan(settledMs)}`, limit);
}

/** After a crash the same server may well be the best one: then nobody had to take over. */
function leaderMoved({ kind, from, primaryAfter }: Measured): Finding {
  const limit = kind === "switchover" ? "another member leads" : "a member leads";
  if (primaryAfter === undefined) return finding("leader", "no", "nobody leads", limit);
  const hasMoved = primaryAfter !== from;
  const found = hasMoved ? `${from} → ${primaryAfter}` : `${from} leads on`;
  return finding("leader", yes(hasMoved || kind === "crash"), found, limit);
}

function explained({ incident }: Measured): Finding {
  const limit = "an incident that is over, with nothing open in its checklist";
  if (incident === undefined) return finding("incident-told", "no", "none", limit);
  const { id, isOver, open } = incident;
  if (!isOver) return finding("incident-told", "no", `${id} goes on`, limit);
  const found = open.length === 0 ? id : `${id}, open: ${open.join(", ")}`;
  return finding("incident-told", yes(open.length === 0), found, limit);
}

const lsnIn = (text: string | undefined): Lsn | undefined =>
  text === undefined ? undefined : parseLsn(text);
