// What can go wrong, and what can a person ask for? Verbs as data, the same for every stage.

/** A node by name, or by the part it plays when the verb is played. `standby` is the first, `other` the last standby. */
export type Target = string;

export type Verb =
  // processes
  | { readonly do: "killPostmaster"; readonly node: Target }
  /** One backend dies: the postmaster ends all the others and lets the server recover. */
  | { readonly do: "crashBackend"; readonly node: Target }
  /** The server answers every session with an error. */
  | { readonly do: "failSessions"; readonly node: Target }
  | { readonly do: "killHost"; readonly node: Target }
  | { readonly do: "killAgent"; readonly node: Target }
  /** Its supervisor starts it again and again; each time it dies after `livesMs`. */
  | { readonly do: "crashLoopAgent"; readonly node: Target; readonly livesMs: number }
  | { readonly do: "stopAgent"; readonly node: Target }
  | { readonly do: "stallAgent"; readonly node: Target; readonly stallMs: number }
  | { readonly do: "killFence"; readonly node: Target }
  | { readonly do: "stopFence"; readonly node: Target }
  | { readonly do: "hangServer"; readonly node: Target }
  | { readonly do: "stopServer"; readonly node: Target }
  /** The node's own pre_promote command says no. */
  | { readonly do: "refusePromotion"; readonly node: Target }
  | { readonly do: "longBackends"; readonly node: Target; readonly count: number }
  | { readonly do: "startByStranger"; readonly node: Target }
  /** Again and again every commit that waits for a standby is cancelled, as a statement's time limit does it. */
  | { readonly do: "cancelWaits"; readonly node: Target; readonly everyMs: number }
  // network
  | { readonly do: "cutFromStore"; readonly node: Target }
  | { readonly do: "cutFromPeers"; readonly node: Target }
  | { readonly do: "cutFromClients"; readonly node: Target }
  | { readonly do: "isolate"; readonly node: Target }
  | { readonly do: "cutOneWay"; readonly from: Target; readonly to: Target }
  /** These members and all the others, with the store's members on their hosts, no longer reach each other; clients do. */
  | { readonly do: "partition"; readonly nodes: readonly Target[] }
  // store
  | { readonly do: "storeDown" }
  | { readonly do: "storeLeaderKill" }
  | { readonly do: "storeLeaderPause" }
  | { readonly do: "storeNoSpace" }
  | { readonly do: "storeCompact" }
  /** The endpoints answer for another, empty store; or for yesterday's state of this one. */
  | { readonly do: "otherStore" }
  | { readonly do: "olderStore" }
  /** Every member of the store has begun anew with nothing, for good. */
  | { readonly do: "loseStore" }
  /** Somebody deletes the key `initialize`: the cluster's members find no cluster. */
  | { readonly do: "eraseInitialize" }
  | { readonly do: "revokeLease"; readonly node: Target }
  | { readonly do: "loseAnswers"; readonly node: Target; readonly share: number }
  | { readonly do: "applyLate"; readonly node: Target; readonly share: number }
  | { readonly do: "watchLag"; readonly node: Target; readonly lagMs: number }
  | { readonly do: "watchSilent"; readonly node: Target }
  /** A request and its answer take longer; `askShare` of it on the way to the store. */
  | {
      readonly do: "slowStore";
      readonly node: Target;
      readonly delayMs: number;
      readonly askShare?: number;
    }
  // clocks and disks
  | { readonly do: "clockRate"; readonly node: Target; readonly rate: number }
  | { readonly do: "stepWall"; readonly node: Target; readonly byMs: number }
  | { readonly do: "suspendHost"; readonly node: Target }
  | { readonly do: "fillDisk"; readonly node: Target }
  /** Next to no room is left, and nothing has failed yet. */
  | { readonly do: "tightenDisk"; readonly node: Target }
  | { readonly do: "breakWatchdog"; readonly node: Target }
  /** Somebody swaps the data directory for another cluster's, or for junk. */
  | { readonly do: "foreignData"; readonly node: Target; readonly isJunk: boolean }
  | { readonly do: "slowDisk"; readonly node: Target; readonly slowMs: number }
  | { readonly do: "slowStandby"; readonly node: Target; readonly slowMs: number }
  /** The consumer of the logical slots stands still, and its slots keep what it has not read. */
  | { readonly do: "stopReader" }
  // the other site
  | { readonly do: "siteDown" }
  /** Another server takes over there, without the last bytes, which this site may have. */
  | { readonly do: "siteFailsOver"; readonly lostBytes: number }
  /** It is another database system now. */
  | { readonly do: "siteReplaced" }
  | { readonly do: "siteDropsSlot" }
  // people
  /** `standby_cluster` is taken out of the configuration, or put into it. */
  | { readonly do: "promoteSite" }
  | { readonly do: "demoteSite" }
  | { readonly do: "switchover"; readonly candidate?: Target; readonly inMs?: number }
  | { readonly do: "failover"; readonly candidate: Target }
  | { readonly do: "restart"; readonly node: Target }
  | { readonly do: "reinit"; readonly node: Target }
  /** The store is told about the cluster again, by this member. */
  | { readonly do: "repopulate"; readonly node: Target }
  /** With `endsInMs` it says when it is over. */
  | { readonly do: "pause"; readonly endsInMs?: number }
  | { readonly do: "resume" }
  /** A person has looked, says that this server is down for good, and is right. */
  | { readonly do: "confirmDown"; readonly node: Target }
  | { readonly do: "detach"; readonly node: Target }
  | { readonly do: "stopCleanly"; readonly node: Target }
  // routers: `router` is a name
  | { readonly do: "killRouter"; readonly router: string }
  /** A client keeps a transaction open. */
  | { readonly do: "holdTransaction"; readonly router: string };

export type VerbName = Verb["do"];

/** A verb with its moment; with `forMs` it is undone after that time, else it lasts until the healing. */
export interface Fault {
  readonly atMs: number;
  readonly forMs?: number;
  readonly verb: Verb;
}

export type FaultKind =
  | "process"
  | "network"
  | "store"
  | "clock"
  | "disk"
  | "site"
  | "operator"
  | "router";

const KINDS = {
  killPostmaster: "process",
  crashBackend: "process",
  failSessions: "process",
  killHost: "process",
  killAgent: "process",
  crashLoopAgent: "process",
  stopAgent: "process",
  stallAgent: "process",
  killFence: "process",
  stopFence: "process",
  hangServer: "process",
  stopServer: "process",
  refusePromotion: "process",
  longBackends: "process",
  startByStranger: "process",
  cancelWaits: "process",
  cutFromStore: "network",
  cutFromPeers: "network",
  cutFromClients: "network",
  isolate: "network",
  cutOneWay: "network",
  partition: "network",
  storeDown: "store",
  storeLeaderKill: "store",
  storeLeaderPause: "store",
  storeNoSpace: "store",
  storeCompact: "store",
  otherStore: "store",
  olderStore: "store",
  loseStore: "store",
  eraseInitialize: "store",
  revokeLease: "store",
  loseAnswers: "store",
  applyLate: "store",
  watchLag: "store",
  watchSilent: "store",
  slowStore: "store",
  clockRate: "clock",
  stepWall: "clock",
  suspendHost: "clock",
  fillDisk: "disk",
  tightenDisk: "disk",
  breakWatchdog: "disk",
  foreignData: "disk",
  slowDisk: "disk",
  slowStandby: "disk",
  stopReader: "operator",
  siteDown: "site",
  siteFailsOver: "site",
  siteReplaced: "site",
  siteDropsSlot: "site",
  promoteSite: "operator",
  demoteSite: "operator",
  switchover: "operator",
  failover: "operator",
  restart: "operator",
  reinit: "operator",
  repopulate: "operator",
  pause: "operator",
  resume: "operator",
  confirmDown: "operator",
  detach: "operator",
  stopCleanly: "operator",
  killRouter: "router",
  holdTransaction: "router",
} as const satisfies Record<VerbName, FaultKind>;

export const VERB_NAMES = Object.keys(KINDS) as readonly VerbName[];

/** Which part of the world a verb disturbs. */
export const kindOf = (verb: Verb): FaultKind => KINDS[verb.do];

/** One line for a transcript: `killHost n1 (20 s)`. */
export function printFault(fault: Fault): string {
  const { do: name, ...rest } = fault.verb;
  const details = Object.values(rest).map(String);
  const lasts = fault.forMs === undefined ? "" : ` (${Math.round(fault.forMs)} ms)`;
  return `${[name, ...details].join(" ")}${lasts}`;
}
