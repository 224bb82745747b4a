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
