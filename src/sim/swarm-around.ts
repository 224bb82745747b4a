// What stands around the cluster of a schedule: another site that it follows, routers in front of it, and what happens to them.
import type { Fault, Verb } from "../scenario/verbs.ts";
import type { Dice } from "./dice.ts";
import { FAR, FAR_SLOT } from "./remote.ts";

export interface Surroundings {
  readonly otherSite: boolean;
  readonly routers: readonly string[];
  readonly config: Readonly<Record<string, unknown>>;
  readonly faults: readonly Fault[];
}

/** What every schedule of a hunt has. Another site is in no other schedule (docs/internals/simulator.md says why). */
export type Scene = "site" | "routers";

const ROUTERS_SHARE = 0.12;
const ROUTERS = ["r1", "r2"] as const;

interface Span {
  /** Between these two faults begin. */
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Dice of their own: a schedule with neither is what it would be without them. */
export function surroundingsOf(d: Dice, span: Span, scene?: Scene): Surroundings {
  const otherSite = scene === "site";
  const hasRouters = d.chance(ROUTERS_SHARE) || scene === "routers";
  const routers = hasRouters ? ROUTERS.slice(0, 1 + d.integer(ROUTERS.length)) : [];
  const atMs = (): number => Math.round(d.between(span.fromMs, span.untilMs));
  return {
    otherSite,
    routers,
    config: otherSite ? { standby_cluster: siteOf(d) } : {},
    faults: [
      ...(otherSite ? siteFaults(d, atMs) : []),
      ...routers.flatMap((router) => routerFaults(d, router, atMs)),
    ],
  };
}

const siteOf = (d: Dice): Readonly<Record<string, unknown>> => ({
  host: FAR,
  port: 5432,
  ...(d.chance(0.5) ? { primary_slot_name: FAR_SLOT } : {}),
});

const PROMOTED_SHARE = 0.6;

/** It goes away, changes, and a person takes this site out of its hands, and gives it back. */
function siteFaults(d: Dice, atMs: () => number): readonly Fault[] {
  const faults: Fault[] = Array.from({ length: 1 + d.integer(3) }, () => ({
    atMs: atMs(),
    forMs: Math.round(d.pick([d.between(500, 8_000), d.between(5_000, 90_000)])),
    verb: d.pick<Verb>([
      { do: "siteDown" },
      { do: "siteDown" },
      { do: "siteFailsOver", lostBytes: d.pick([0, 0, 2_000]) },
      { do: "siteReplaced" },
      { do: "siteDropsSlot" },
    ]),
  }));
  if (d.chance(PROMOTED_SHARE)) {
    const [first, second] = [atMs(), atMs()].toSorted((a, b) => a - b);
    faults.push({ atMs: first ?? 0, verb: { do: "promoteSite" } });
    if (d.chance(0.5)) faults.push({ atMs: second ?? 0, verb: { do: "demoteSite" } });
  }
  return faults;
}

/** It dies and is started again, a client keeps a transaction open, somebody asks for a switchover behind it. */
function routerFaults(d: Dice, router: string, atMs: () => number): readonly Fault[] {
  const faults: Fault[] = [];
  if (d.chance(0.7)) {
    const forMs = Math.round(d.between(200, 60_000));
    faults.push({ atMs: atMs(), forMs, verb: { do: "killRouter", router } });
  }
  const at = atMs();
  faults.push({ atMs: at, verb: { do: "switchover" } });
  if (d.chance(0.5)) {
    const forMs = Math.round(d.between(500, 20_000));
    const verb: Verb = { do: "holdTransaction", router };
    faults.push({ atMs: Math.max(0, at - d.integer(2_000)), forMs, verb });
  }
  if (d.chance(0.4)) {
    const forMs = Math.round(d.between(200, 5_000));
    faults.push({ atMs: at + d.integer(1_500), forMs, verb: { do: "killRouter", router } });
  }
  return faults;
}
