// What does the route room know when it decides where clients go?
import type { ClusterSnapshot } from "../../model/cluster.ts";
import type { Known } from "../../model/known.ts";
import type { PeerStatus } from "../../model/member.ts";
import type { HoldAnswer, RoutePlan, Target } from "../../model/route.ts";
import type { RouterSettings } from "../../model/router-settings.ts";
import { after, type Instant, type Ms } from "../../model/time.ts";
import type { Outcomes } from "../controller.ts";

/** Who I am: constant while the agent runs. */
export interface RouterSelf {
  readonly name: string;
  readonly apiUrl: string;
  readonly agentVersion: string;
  readonly settings: RouterSettings;
  /** Where clients connect, for people. */
  readonly addresses: Readonly<Record<string, string>>;
}

/** Why clients are paused. */
export type Cause =
  /** The leader asked for it before a switchover; the revision of the wish. */
  | { readonly kind: "asked"; readonly intent: number }
  | { readonly kind: "suspected" }
  /** An earlier life of the agent may have left a pause behind. */
  | { readonly kind: "inherited" };

/** A pause that is in force here, as far as this agent knows. */
export interface Pause {
  readonly cause: Cause;
  readonly since: Instant;
  /** Then it ends, whatever the truth is. */
  readonly until: Instant;
  /** The term of the plan that was in force when it began. */
  readonly term: number;
}

/** A pause on a mere suspicion after which the same primary went on: when it ended, and how long clients waited. */
export interface Alarm {
  readonly at: Instant;
  readonly waitedMs: Ms;
}

export interface Trouble {
  /** Our own connection broke; nobody leads; another member leads. */
  readonly kind: "lost" | "leaderless" | "succeeded";
  readonly since: Instant;
}

export interface RouteMemory {
  /** The plan in force here; undefined until this life of the agent has applied one. */
  readonly applied: RoutePlan | undefined;
  readonly pause: Pause | undefined;
  /** What the leader was last answered. */
  readonly answer: HoldAnswer | undefined;
  /** A primary of before, to which clients may still be linked. */
  readonly gone: Target | undefined;
  /** The wish for which blockers have been cut already. */
  readonly cutFor: number | undefined;
  /** What speaks against the primary that clients are sent to, and since when. */
  readonly trouble: Trouble | undefined;
  /** Trouble that began before this was no reason to go on pausing. */
  readonly dismissed: Instant | undefined;
  /** Pauses that nobody's change of role came after, newest last. */
  readonly alarms: readonly Alarm[];
  readonly storeReadAt: Instant;
  /** The member whose server a pause let run without lease and store, when the store was last read (R30). */
  readonly unguarded: string | undefined;
  readonly closed: boolean;
  /** Who comes in over the balancer waits for the next plan. */
  readonly waits: boolean;
  /** When our lease in the store was last known to have its full length. */
  readonly leaseKeptAt: Instant | undefined;
  /** Latest outcome of each kind of step that has been taken into the fields above. */
  readonly digested: Readonly<Record<string, Instant>>;
}

export interface RouteWorld {
  readonly now: Instant;
  readonly self: RouterSelf;
  readonly store: Known<ClusterSnapshot>;
  readonly ttlMs: Ms;
  /** What the leader says of itself; asked only while clients are not sent to it yet, or wait. */
  readonly leaderSays: Known<PeerStatus> | undefined;
  /** Since when our own connection to the primary has been broken. */
  readonly lostSince: Instant | undefined;
  readonly stopping: boolean;
  readonly outcomes: Outcomes;
  readonly memory: RouteMemory;
}

/** The recollection of a router that has just started. */
export const firstMemory = (now: Instant, settings: RouterSettings): RouteMemory => ({
  applied: undefined,
  pause:
    settings.pgbouncer === undefined
      ? undefined
      : {
          cause: { kind: "inherited" },
          since: now,
          until: after(now, settings.holdLimitMs),
          term: 0,
        },
  answer: undefined,
  trouble: undefined,
  gone: undefined,
  cutFor: undefined,
  dismissed: undefined,
  alarms: [],
  storeReadAt: now,
  unguarded: undefined,
  closed: false,
  waits: false,
  leaseKeptAt: undefined,
  digested: {},
});
