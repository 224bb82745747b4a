// What does a fault cost clients behind a router, and what at the same moment those who connect straight to the servers?
import type { Ms } from "../../model/time.ts";
import { FAULTS } from "../faults.ts";
import { waitForPrimary } from "../health.ts";
import { USUAL_LOAD } from "../load.ts";
import { type LoadCost, measure } from "../measure.ts";
import { USUAL_FAULT } from "../order.ts";
import type { LabRecord } from "../record.ts";
import { type PathName, pathOf } from "../routers.ts";

export interface RouterFault {
  readonly id: string;
  readonly title: string;
  readonly verb: string;
  readonly watchMs: Ms;
  readonly takesSeconds: number;
  /** What the issue promises for each way through a router. */
  readonly bounds: Readonly<Record<Behind, string>>;
}

/** The ways that lead through a router. */
export type Behind = Exclude<PathName, "direct">;

export const BEHIND = ["pooled", "balanced"] as const satisfies readonly Behind[];

export const ROUTER_FAULTS: readonly RouterFault[] = [
  {
    id: "switchover",
    title: "switchover",
    verb: "switchover",
    watchMs: 2_000,
    takesSeconds: 12,
    bounds: { pooled: "≤ 0.5 s, no error", balanced: "≤ 1.2 s" },
  },
  {
    id: "postmaster",
    title: "postmaster killed",
    verb: "kill-postmaster",
    watchMs: 3_000,
    takesSeconds: 14,
    bounds: { pooled: "≤ 1.7 s; refused: median ≤ 2", balanced: "none" },
  },
  {
    id: "host",
    title: "host death, ttl 10",
    verb: "kill-node",
    watchMs: 3_000,
    takesSeconds: 27,
    bounds: { pooled: "direct + 0.5 s", balanced: "direct + 0.5 s" },
  },
];

/** One fault, seen over all ways at the same time. */
export type FaultTurn = Readonly<Record<PathName, LoadCost>>;

/**
 * Many clients of the pooler, each with a connection of its own; as many of the balancer as go straight to the servers, so
 * that these two are alike, and fifty clients that connect anew do not cost the pooler's their processor.
 */
const POOLED_CLIENTS = 50;
const PRIMARY_LIMIT_MS: Ms = 180_000;

/** Makes the fault on the primary of a healthy lab that has a router. */
export async function faultTurn(
  lab: LabRecord,
  { verb, watchMs }: RouterFault,
): Promise<FaultTurn> {
  const { member } = await waitForPrimary(lab, PRIMARY_LIMIT_MS);
  const node = verb === "switchover" ? "" : member.name;
  const { beside, ...direct } = await measure(lab, {
    fault: async () => FAULTS[verb]?.make({ lab, node, options: USUAL_FAULT }),
    watchMs,
    load: USUAL_LOAD,
    beside: [
      { ...USUAL_LOAD, workers: POOLED_CLIENTS, path: pathOf(lab, "pooled") },
      { ...USUAL_LOAD, path: pathOf(lab, "balanced") },
    ],
  });
  const [pooled = direct, balanced = direct] = beside;
  return { direct, pooled, balanced };
}
