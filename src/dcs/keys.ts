// Where does each fact of a cluster stand in the store? (Patroni's names; `hold`, `lineage`, `known`, `succession`, `unguarded`, `bootstrap`, `routers`, `schedule` are ours)

const MEMBERS = "members/";
const ROUTERS = "routers/";

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
  readonly unguarded: string;
  readonly succession: string;
  readonly bootstrap: string;
  readonly schedule: string;
  /** Whoever runs a job of the schedule, for as long as it runs. Begins like the one above: one look shows both. */
  readonly scheduleRun: string;
  member(name: string): string;
  /** The member that a key belongs to, or undefined when it is another key. */
  memberOf(key: string): string | undefined;
  router(name: string): string;
  /** The router that a key belongs to, or undefined when it is another key. */
  routerOf(key: string): string | undefined;
}

/** The keys of one cluster: `/<namespace>/<scope>/...`, whatever slashes the namespace is written with. */
export function keysOf(namespace: string, scope: string): Keys {
  const space = namespace.replace(/^\/+|\/+$/g, "");
  const prefix = space === "" ? `/${scope}/` : `/${space}/${scope}/`;
  const members = `${prefix}${MEMBERS}`;
  const routers = `${prefix}${ROUTERS}`;
  const nameIn = (folder: string, key: string): string | undefined =>
    key.startsWith(folder) && key.length > folder.length ? key.slice(folder.length) : undefined;
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
    unguarded: `${prefix}unguarded`,
    succession: `${prefix}succession`,
    bootstrap: `${prefix}bootstrap`,
    schedule: `${prefix}schedule`,
    scheduleRun: `${prefix}schedule-run`,
    member: (name) => `${members}${name}`,
    memberOf: (key) => nameIn(members, key),
    router: (name) => `${routers}${name}`,
    routerOf: (key) => nameIn(routers, key),
  };
}
