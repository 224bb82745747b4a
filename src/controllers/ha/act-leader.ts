// How is a lease dealt with, and how are the facts that only a leader may write brought into the store?
import type { WriteOutcome } from "../../ports/dcs.ts";
import type { ActOptions } from "./acting.ts";
import { WRITE_LIMIT_MS } from "./limits.ts";
import type { HaStep } from "./steps.ts";

type LeaderWrite = Extract<
  HaStep,
  {
    readonly kind: "write-status" | "write-history" | "write-roster" | "record-fork" | "reserve";
  }
>;

/** One write with its compare (R13); refused when somebody else leads or was faster. */
export function writeAsLeader(o: ActOptions, step: LeaderWrite): Promise<WriteOutcome> {
  switch (step.kind) {
    case "write-status":
      return o.dcs.writeStatus(step.term, step.status, WRITE_LIMIT_MS);
    case "write-history":
      return o.dcs.writeHistory(step.term, step.rows, WRITE_LIMIT_MS);
    case "write-roster":
      return o.dcs.writeRoster(step.term, step.roster, step.revision, WRITE_LIMIT_MS);
    case "record-fork":
    case "reserve":
      return o.dcs.reserveBranch(step.term, step.branches, step.revision, WRITE_LIMIT_MS);
    default:
      return step satisfies never;
  }
}

type LeaseStep = Extract<
  HaStep,
  { readonly kind: "adopt" | "release" | "drop-lease" | "remove-stale-leader" }
>;

/** The lease keeper's verbs, and the one that ends another's lease (R8). */
export async function actOnLease(o: ActOptions, step: LeaseStep): Promise<unknown> {
  switch (step.kind) {
    case "adopt":
      return o.lease.adopt(step.term, step.sentAt, step.seq);
    case "release":
      return o.lease.release(step.release);
    case "drop-lease":
      return o.lease.drop(step.why);
    case "remove-stale-leader":
      return o.dcs.removeStaleLeader(step.term, step.hold, WRITE_LIMIT_MS);
    default:
      return step satisfies never;
  }
}
