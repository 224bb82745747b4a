// What is a game day? A failover on purpose: announced to every member, carried out, measured, and kept.
//
// Its record is how the members know of it: an abort is a state of the record, and a server is only ended for a game
// day that its own member holds as begun.
import { isObject } from "../wire/json.ts";
import { printRfc3339 } from "../wire/rfc3339.ts";
import type { Precondition } from "./preconditions.ts";

/** `switchover` is the planned way; `crash` ends the primary's first process as the kernel would. */
export const KINDS = ["switchover", "crash"] as const;
export type GameDayKind = (typeof KINDS)[number];

/** What a failover of each kind is allowed to take from clients, unless somebody says otherwise. */
export const USUAL_PAUSE_MS: Readonly<Record<GameDayKind, number>> = {
  switchover: 10_000,
  crash: 30_000,
};

/** Only what is announced can be aborted: from `begun` on there is no way back. `skipped`: a schedule's, not even announced. */
export const STATES = ["announced", "begun", "done", "aborted", "skipped"] as const;
export type GameDayState = (typeof STATES)[number];

export interface GameDay {
  /** `G-20261127-081500`: when it was announced, in UTC. */
  readonly id: string;
  readonly cluster: string;
  readonly kind: GameDayKind;
  readonly state: GameDayState;
  readonly by: string;
  /** The moment of the schedule that it was made for; undefined: a person asked for it. */
  readonly momentMs?: number;
  /** Why it was aborted or skipped. */
  readonly why?: string;
  /** The primary of before (`NOBODY` when nobody led and it was skipped), and whom the switchover was to go to. */
  readonly from: string;
  readonly wanted?: string;
  /** Milliseconds since 1970, by the clock of the member that was asked. */
  readonly announcedAt: number;
  readonly begunAt?: number;
  readonly preconditions: readonly Precondition[];
  readonly report?: GameDayReport;
}

export type Verdict = "passed" | "failed" | "unknown";

/** One promise, what was found, and whether it was kept; `unknown` where nobody could say. */
export interface Finding {
  readonly name: string;
  readonly found: string;
  readonly limit: string;
  readonly kept: "yes" | "no" | "unknown";
}

/** For how long writes paused, as somebody measured it. */
export interface Pause {
  readonly by: string;
  /** Undefined when it could not be measured; then `how` says why. */
  readonly ms?: number;
  readonly how: string;
}

export interface GameDayReport {
  readonly verdict: Verdict;
  readonly endedAt: number;
  /** Who leads since. */
  readonly primary?: string;
  /** The incident that members tell of it, with its phases. */
  readonly incident?: string;
  readonly phases: readonly { readonly name: string; readonly ms?: number }[];
  readonly pauses: readonly Pause[];
  readonly findings: readonly Finding[];
}

/** No member is called so: names have no spaces. */
export const NOBODY = "no primary";

export const gameDayId = (announcedAt: number): string =>
  `G-${printRfc3339(announcedAt).slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-")}`;

const ID = /^G-\d{8}-\d{6}$/;
const LONGEST_NAME = 200;

/** From what JSON says; undefined when it is none. */
export function asGameDay(value: unknown): GameDay | undefined {
  if (!isObject(value)) return undefined;
  const { id, cluster, kind, state, by, from, announcedAt, preconditions } = value;
  const isOurs =
    isName(id) &&
    ID.test(id) &&
    isName(cluster) &&
    isName(by) &&
    isName(from) &&
    KINDS.some((one) => one === kind) &&
    STATES.some((one) => one === state) &&
    typeof announcedAt === "number" &&
    Array.isArray(preconditions);
  return isOurs ? (value as unknown as GameDay) : undefined;
}

const isName = (value: unknown): value is string =>
  typeof value === "string" && value !== "" && value.length <= LONGEST_NAME;

/** One that was announced or begun and never ended blocks no other for longer than this. */
const FORGOTTEN_MS = 15 * 60_000;

/**
 * Why a member does not take this record beside those that it has; undefined when it does. What begins was announced to
 * it, an abort wins over a beginning that comes later, and what has ended stays as it ended.
 */
export function objectionTo(
  next: GameDay,
  kept: readonly GameDay[],
  now: number,
): string | undefined {
  const before = kept.find(({ id }) => id === next.id);
  if (before === undefined) {
    if (next.state === "begun") return `${next.id} was never announced here`;
    const other = kept.find((day) => isOpen(day) && now - day.announcedAt < FORGOTTEN_MS);
    if (other === undefined || !isOpen(next)) return undefined;
    return `${other.id} of ${other.by} is ${other.state} already`;
  }
  const isNext = NEXT[before.state].includes(next.state);
  return isNext ? undefined : `${next.id} is ${before.state} and can not be ${next.state} now`;
}

const NEXT: Readonly<Record<GameDayState, readonly GameDayState[]>> = {
  announced: ["begun", "aborted"],
  begun: ["done"],
  done: [],
  aborted: [],
  skipped: [],
};

export const isOpen = ({ state }: GameDay): boolean => state === "announced" || state === "begun";

/** The same game days as several members keep them, oldest first: of each the state that is furthest. */
export function mergedGameDays(lists: readonly (readonly GameDay[])[]): readonly GameDay[] {
  const furthest = new Map<string, GameDay>();
  for (const day of lists.flat()) {
    const other = furthest.get(day.id);
    if (other === undefined || STATES.indexOf(day.state) > STATES.indexOf(other.state))
      furthest.set(day.id, day);
  }
  return [...furthest.values()].toSorted((a, b) => a.announcedAt - b.announcedAt);
}
