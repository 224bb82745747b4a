// Which standbys does a commit wait for, and who may be elected so that none of those commits is lost?
//
// Words: the *names* are PostgreSQL's `synchronous_standby_names`; the *sync state* is the store's `sync` key, which
// says who may win an election. What must hold between the two at every instant is `covers`.

/** What `synchronous_standby_names` says. */
export type SyncNames =
  /** The agent leaves the setting alone: the user's own value holds. */
  | { readonly kind: "unmanaged" }
  /** A commit waits for nobody. */
  | { readonly kind: "nobody" }
  /** The closed gate: a name that nobody bears, so no commit is acknowledged (R20, R33). */
  | { readonly kind: "closed" }
  /** A commit waits for `count` of the members: the first of the list that are there, or any of them. */
  | {
      readonly kind: "first" | "any";
      readonly count: number;
      readonly members: readonly string[];
    };

/** Nobody is called so, and a thousand of them are asked for: the server accepts it and no standby satisfies it. */
const NOBODY = "understudy: nobody may acknowledge";
const CLOSED = `FIRST 1000 (${quoted(NOBODY)})`;

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The setting's text; undefined when it is not ours to write. */
export function printSyncNames(names: SyncNames): string | undefined {
  switch (names.kind) {
    case "unmanaged":
      return undefined;
    case "nobody":
      return "";
    case "closed":
      return CLOSED;
    case "first":
    case "any":
      return `${names.kind.toUpperCase()} ${names.count} (${names.members.map(quoted).join(", ")})`;
    default:
      return names satisfies never;
  }
}

/** Reads what `printSyncNames` wrote; undefined for anything else. */
export function parseSyncNames(text: string): SyncNames | undefined {
  if (text === "") return { kind: "nobody" };
  if (text === CLOSED) return { kind: "closed" };
  const [, method = "", count = "", list = ""] =
    /^(FIRST|ANY) ([1-9]\d{0,3}) \((.*)\)$/s.exec(text) ?? [];
  const members = [...list.matchAll(/"((?:[^"]|"")*)"/g)].map(([, name = ""]) =>
    name.replaceAll('""', '"'),
  );
  if (members.length === 0) return undefined;
  const names: SyncNames = {
    kind: method === "ANY" ? "any" : "first",
    count: Number(count),
    members,
  };
  return printSyncNames(names) === text ? names : undefined;
}

/** The store's `sync` key: who published it, which standbys are trusted, and how many votes a candidate needs. */
export interface SyncState {
  readonly leader: string;
  readonly standbys: readonly string[];
  /** Voters that a candidate must have heard besides itself. 0: each of them surely has everything. */
  readonly quorum: number;
}

/** Only the leader itself may be elected. */
export const aloneWith = (leader: string): SyncState => ({ leader, standbys: [], quorum: 0 });

/** May this member stand for election, and does its word count? */
export const isVoter = (state: SyncState, name: string): boolean =>
  name === state.leader || state.standbys.includes(name);

export const isSameState = (a: SyncState, b: SyncState): boolean =>
  a.leader === b.leader &&
  a.quorum === b.quorum &&
  a.standbys.length === b.standbys.length &&
  a.standbys.every((name) => b.standbys.includes(name));

/** How many of whom must have flushed a commit, besides the leader, before it is acknowledged. */
export function waitOf(names: SyncNames): {
  readonly count: number;
  readonly members: readonly string[];
} {
  switch (names.kind) {
    case "unmanaged":
    case "nobody":
      return { count: 0, members: [] };
    case "closed":
      return { count: Number.POSITIVE_INFINITY, members: [] };
    case "first":
    case "any":
      return { count: names.count, members: names.members };
    default:
      return names satisfies never;
  }
}

/** How many different members two lists name together. */
const together = (a: readonly string[], b: readonly string[]): number => new Set([...a, ...b]).size;

/**
 * The heart of it: whoever acknowledges and whoever elects must have a member in common. A commit is on the leader and
 * on `count` of the named; an election by `sync` hears `quorum + 1` of the voters. If the leader is among those, it has
 * the commit; if not, `count + quorum + 1` standbys cannot fit into `standbys ∪ names` without meeting.
 */
export function covers(state: SyncState, names: SyncNames): boolean {
  const { count, members } = waitOf(names);
  if (state.quorum >= state.standbys.length) return true;
  return together(state.standbys, members) <= count + state.quorum;
}

/** The fewest votes with which `standbys` may elect while commits go by `names`. */
export function leastQuorum(standbys: readonly string[], names: SyncNames): number {
  const { count, members } = waitOf(names);
  return Math.max(0, together(standbys, members) - count);
}
