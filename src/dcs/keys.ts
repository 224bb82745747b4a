// Where does each fact of a cluster stand in the store? (Patroni's names; `hold`, `lineage`, `known`, `bootstrap` are ours)

const MEMBERS = "members/";

export interface Keys {
  /** Everything of one cluster begins with it. */
  readonly prefix: string;
  readonly initialize: string;
  readonly config: string;
  readonly leader: string;
  readonly hold: string;
  readonly failover: string;
  readonly sync: string;
  readonly history: string;
  readonly status: string;
  /** Where agents older than 2.1 put the leader's position. */
  readonly oldStatus: string;
  readonly failsafe: string;
  readonly lineage: string;
  readonly known: string;
  readonly bootstrap: string;
  member(name: string): string;
  /** The member that a key belongs to, or undefined when it is another key. */
  memberOf(key: string): string | undefined;
}

/** The keys of one cluster: `/<namespace>/<scope>/...`, whatever slashes the namespace is written with. */
export function keysOf(namespace: string, scope: string): Keys {
  const folder = namespace.replace(/^\/+|\/+$/g, "");
  const prefix = folder === "" ? `/${scope}/` : `/${folder}/${scope}/`;
  const members = `${prefix}${MEMBERS}`;
  return {
    prefix,
    initialize: `${prefix}initialize`,
    config: `${prefix}config`,
    leader: `${prefix}leader`,
    hold: `${prefix}hold`,
    failover: `${prefix}failover`,
    sync: `${prefix}sync`,
    history: `${prefix}history`,
    status: `${prefix}status`,
    oldStatus: `${prefix}optime/leader`,
    failsafe: `${prefix}failsafe`,
    lineage: `${prefix}lineage`,
    known: `${prefix}known`,
    bootstrap: `${prefix}bootstrap`,
    member: (name) => `${members}${name}`,
    memberOf: (key) =>
      key.startsWith(members) && key.length > members.length
        ? key.slice(members.length)
        : undefined,
  };
}
